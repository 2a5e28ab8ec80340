import type { ConfigInput } from "@aldis/server";
import { accessTo, type GatewayAccess } from "../gateway-access.ts";
import type { RedisServer } from "../redis-server.ts";
import { startTcpProxy } from "../tcp-proxy.ts";
import { type Balancer, startBalancer } from "./balancer.ts";
import { type ClusterNode, startClusterNode } from "./cluster-node.ts";

/** Gateways over one Redis, with a balancer in front: `wsUrl`, `publish` and so on go through that. */
export type Cluster = AsyncDisposable &
  GatewayAccess & {
    readonly nodes: readonly ClusterNode[];
    readonly balancer: Balancer;
    /** The node at this place; fails the test where there is none. */
    node(place: number): ClusterNode;
    /** Those that run now. */
    readonly running: readonly ClusterNode[];
    /** Drains each node and starts it again, one after another. */
    rollingRestart(config?: ConfigInput): Promise<void>;
    /** Until all that run are ready. */
    untilReady(): Promise<void>;
  };

export type ClusterOptions = {
  readonly nodes?: number;
  /** Of every node. `broker` is set by this. */
  readonly config?: ConfigInput;
  /** A single server, reached by each node through a link of its own; or what `broker` is to be. */
  readonly redis: RedisServer | string | string[];
};

/** Starts `nodes` (3) gateways with one secret and API key; ready when all of them are. `await using` ends them, not Redis. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { nodes: count = 3, config = {}, redis } = options;
  await using opened = new AsyncDisposableStack();
  const nodes = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const link = opened.use(startTcpProxy(isServer(redis) ? redis.port : () => undefined));
      const broker = isServer(redis) ? `redis://127.0.0.1:${link.port}` : redis;
      const name = `n${n}`;
      const own = { ...config, broker, cluster: { ...config.cluster, node: name } };
      return opened.use(await startClusterNode({ name, link, config: own }));
    }),
  );
  const running = () => nodes.filter((node) => node.running);
  const untilReady = async () => {
    await Promise.all(running().map((node) => node.untilReady()));
  };
  await untilReady();
  const balancer = opened.use(startBalancer(nodes.map(({ port }) => port)));
  const all = opened.move();
  return {
    ...accessTo(balancer.url),
    nodes,
    balancer,
    node: (place) => nodeAt(nodes, place),
    get running() {
      return running();
    },
    async rollingRestart(more) {
      for (const node of nodes) {
        await node.drain();
        await node.start(more);
      }
    },
    untilReady,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function isServer(redis: ClusterOptions["redis"]): redis is RedisServer {
  return typeof redis === "object" && "pid" in redis;
}

function nodeAt(nodes: readonly ClusterNode[], place: number): ClusterNode {
  const node = nodes[place];
  if (node === undefined) throw new Error(`there is no node ${place}`);
  return node;
}
