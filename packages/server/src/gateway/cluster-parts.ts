import { createLocalNodeBus } from "../cluster/local-node-bus.ts";
import { createLocalNodeRegistry, type NodeSelf } from "../cluster/local-node-registry.ts";
import type { NodeBus } from "../cluster/node-bus.ts";
import { createNodeId } from "../cluster/node-id.ts";
import type { NodeRegistry } from "../cluster/node-registry.ts";
import { RedisNodeBus } from "../cluster/redis/redis-node-bus.ts";
import { RedisNodeRegistry } from "../cluster/redis/redis-node-registry.ts";
import type { Config } from "../config/schema.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { RandomIds } from "../random/random.ts";
import type { Shards } from "../redis/shards.ts";
import type { Clock } from "../time/clock.ts";

export type ClusterPartDeps = {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly counters: Counters;
  readonly log: Log;
  readonly version: string;
  /** It takes no clients. */
  readonly isWorker: boolean;
  /** How late the loop came round lately, in seconds. */
  readonly loopLagSeconds: () => number;
};

/** Which nodes there are, and how to reach them. */
export type ClusterParts = {
  readonly registry: NodeRegistry;
  readonly bus: NodeBus;
  /** Tells the others that this node is there; to be called when all have said what they listen to. */
  start(): void;
  /** Says goodbye. */
  close(): Promise<void>;
};

export function clusterParts(deps: ClusterPartDeps, shards: Shards | undefined): ClusterParts {
  const { clock, counters, log, random, config } = deps;
  const me = selfOf(deps);
  if (shards === undefined) {
    const registry = createLocalNodeRegistry(me, clock);
    const bus = createLocalNodeBus(me.id, { counters, log });
    return { registry, bus, start() {}, close: () => registry.close() };
  }
  const { heartbeatMs, leaseMs, requestTimeoutMs, requestsMax } = config.cluster;
  const registry = new RedisNodeRegistry(
    me,
    { shards, clock, random, counters, log },
    { heartbeatMs, leaseMs, goodbyeGraceMs: config.presence.graceMs },
  );
  const bus = new RedisNodeBus(
    me.id,
    { shards, clock, counters, log, isAlive: (node) => registry.isAlive(node) },
    { timeoutMs: requestTimeoutMs, requestsMax },
  );
  registry.listen({ onLeft: (node) => bus.forgetNode(node) });
  return {
    registry,
    bus,
    start() {
      bus
        .start()
        .then(() => registry.start())
        .catch((error: unknown) => {
          log.error({ err: error }, "this node cannot be reached by others");
        });
    },
    async close() {
      await registry.close();
      await bus.close();
    },
  };
}

function selfOf(deps: ClusterPartDeps): NodeSelf {
  const { config, random, counters, version, loopLagSeconds, isWorker } = deps;
  const { node, admitPerSecond } = config.cluster;
  const { queues } = config.jobs;
  const both = queues.length > 0 ? "all" : "gateway";
  return {
    ...createNodeId(node, random),
    ...{ version, queues, role: isWorker ? "worker" : both },
    load: () => ({
      connections: counters.connectionsOpened - counters.connectionsClosed,
      // Nobody is sent to a worker, by nodes of older versions either.
      capacity: isWorker ? 0 : config.limits.connectionsPerNode,
      admitPerSecond: isWorker ? 0 : admitPerSecond,
      loopLagMs: Math.round(loopLagSeconds() * 1_000),
    }),
  };
}
