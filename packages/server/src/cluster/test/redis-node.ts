import { createFakeClock, eventually, type FakeClock } from "@aldis/testkit";
import { configSchema } from "../../config/schema.ts";
import { type Counters, createCounters } from "../../observe/counters.ts";
import { createLog } from "../../observe/log.ts";
import { createRandomIds } from "../../random/random.ts";
import { openShards, type Shards } from "../../redis/shards.ts";
import type { LeaveCause, NodeListener } from "../node-registry.ts";
import { RedisNodeBus } from "../redis/redis-node-bus.ts";
import { RedisNodeRegistry } from "../redis/redis-node-registry.ts";

export const HEARTBEAT_MS = 1_000;
export const LEASE_MS = 10_000;
export const GOODBYE_GRACE_MS = 5_000;

/** A registry and a bus as a gateway has them, on a clock of their own: nothing beats but by {@link TestNode.beat}. */
export type TestNode = AsyncDisposable & {
  readonly registry: RedisNodeRegistry;
  readonly bus: RedisNodeBus;
  readonly clock: FakeClock;
  readonly counters: Counters;
  /** What its listener was told, in order: `joined b`, `left b dead`, `reap b`, `lost lease`, `new`. */
  readonly told: string[];
  readonly shards: Shards;
  /** Moves the clock by a heartbeat and waits until it has come back, or has failed. */
  beat(times?: number): Promise<void>;
};

export type TestNodeOptions = {
  readonly commandTimeoutMs?: number;
  readonly onReap?: NodeListener["onReap"];
  readonly requestsMax?: number;
};

export async function startNode(
  id: string,
  broker: string | string[],
  { commandTimeoutMs = 1_000, onReap, requestsMax = 100 }: TestNodeOptions = {},
): Promise<TestNode> {
  const config = configSchema.parse({ broker, redis: { commandTimeoutMs } });
  const shards = openShards(config);
  if (shards === undefined) throw new Error("no shards");
  const clock = createFakeClock();
  const counters = createCounters();
  const log = createLog("silent", () => {});
  const deps = { shards, clock, counters, log, random: createRandomIds() };
  const load = () => ({ connections: 1, capacity: 10, admitPerSecond: 5, loopLagMs: 0 });
  const registry = new RedisNodeRegistry(
    { id, name: id, version: "1.0.0", role: "all", queues: [], load },
    deps,
    {
      heartbeatMs: HEARTBEAT_MS,
      leaseMs: LEASE_MS,
      goodbyeGraceMs: GOODBYE_GRACE_MS,
    },
  );
  const bus = new RedisNodeBus(
    id,
    { ...deps, isAlive: (node) => registry.isAlive(node) },
    { timeoutMs: 1_000, requestsMax },
  );
  const told: string[] = [];
  registry.listen({
    onJoined: (node) => told.push(`joined ${node}`),
    onLeft(node: string, cause: LeaveCause) {
      told.push(`left ${node} ${cause}`);
      bus.forgetNode(node);
    },
    async onReap(node) {
      told.push(`reap ${node}`);
      await onReap?.(node);
    },
    onLostLease: () => told.push("lost lease"),
    onRedisNew: () => told.push("new"),
  });
  await bus.start();
  registry.start();
  const beaten = () => eventually(`a heartbeat of ${id}`, () => clock.pending > 0);
  await beaten();
  return {
    ...{ registry, bus, clock, counters, told, shards },
    async beat(times = 1) {
      for (let i = 0; i < times; i++) {
        clock.advance(HEARTBEAT_MS);
        await beaten();
      }
    },
    async [Symbol.asyncDispose]() {
      await registry.close();
      await bus.close();
      await shards.close();
    },
  };
}

export function idsOf({ registry }: TestNode): string {
  return registry
    .nodes()
    .map(({ id }) => id)
    .join(" ");
}
