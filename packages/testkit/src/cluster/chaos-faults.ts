import type { Checker } from "../checker-types.ts";
import { deleteStreams } from "../redis/damage.ts";
import type { RedisServer } from "../redis-server.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./cluster-node.ts";

/** What a fault may reach. */
export type ChaosScene = {
  readonly cluster: Cluster;
  readonly redis: RedisServer;
  readonly checker: Checker;
  readonly random: SeededRandom;
};

/** Does its harm, and undoes it. */
export type NodeFault = (scene: ChaosScene, node: ClusterNode) => Promise<void>;
export type SceneFault = (scene: ChaosScene) => Promise<void>;

/** What only the connection says that is told publications. */
const SUBSCRIBES = /\r\ns?subscribe\r\n/i;

async function lasting({ random }: ChaosScene, minMs: number, maxMs: number): Promise<void> {
  await Bun.sleep(random.between(minMs, maxMs));
}

/** Of one node, while no other fault is done to it. */
export const NODE_FAULTS: Readonly<Record<string, NodeFault>> = {
  async "kill -9"(scene, node) {
    await node.kill();
    await lasting(scene, 0, 3_000);
    await node.start();
  },
  async drain(_, node) {
    await node.drain();
    await node.start();
  },
  async "stand still"(scene, node) {
    await node.pause();
    await lasting(scene, 100, 4_000);
    node.resume();
  },
  async "cut from Redis"(scene, { link }) {
    link.accepting = false;
    link.cut();
    await lasting(scene, 50, 3_000);
    link.accepting = true;
  },
  async "all between it and Redis is swallowed"(scene, { link }) {
    link.frozen = true;
    await lasting(scene, 50, 3_000);
    link.frozen = false;
  },
  async "its connection for publications is dead"(_, { link }) {
    link.deafen(SUBSCRIBES);
  },
  async "its way to Redis is slow"(scene, { link }) {
    link.weather = { delayMs: scene.random.between(1, 80), loss: 0.02, random: scene.random };
    await lasting(scene, 500, 3_000);
    link.weather = undefined;
  },
};

/** Of Redis, while no other fault is done to it. */
export const REDIS_FAULTS: Readonly<Record<string, SceneFault>> = {
  async "Redis stands still"(scene) {
    await scene.redis.pause();
    await lasting(scene, 50, 3_000);
    scene.redis.resume();
  },
  async "Redis is killed, and keeps what it acknowledged"({ redis }) {
    await redis.restart();
  },
  async "Redis is emptied"({ redis, checker }) {
    await checker.forgetting(() => redis.cli("FLUSHALL"));
  },
  async "Redis drops its subscribers"({ redis }) {
    await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
  },
  async "Redis drops everybody"({ redis }) {
    await redis.cli("CLIENT", "KILL", "TYPE", "normal");
  },
  async "Redis is out of memory"(scene) {
    await scene.redis.cli("CONFIG", "SET", "maxmemory", "1mb");
    await lasting(scene, 50, 1_500);
    await scene.redis.cli("CONFIG", "SET", "maxmemory", "0");
  },
  async "Redis lost a stream"({ redis, random }) {
    await deleteStreams(redis, random.pick(["*load:a", "*load:b"]));
  },
};

/** Of the network between clients and nodes; any number at once. */
export const CLIENT_FAULTS: Readonly<Record<string, SceneFault>> = {
  async "clients are cut"({ cluster, random }) {
    cluster.balancer.proxy.cutSome(random.next(), random);
  },
  async "clients hear nothing"(scene) {
    const { proxy } = scene.cluster.balancer;
    proxy.frozenToClient = true;
    await lasting(scene, 50, 1_500);
    proxy.frozenToClient = false;
  },
  async "clients are far away"(scene) {
    const { random, cluster } = scene;
    cluster.balancer.proxy.weather = { delayMs: random.between(1, 150), loss: 0.05, random };
    await lasting(scene, 200, 3_000);
    cluster.balancer.proxy.weather = undefined;
  },
};
