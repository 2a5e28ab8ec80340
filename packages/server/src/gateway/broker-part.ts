import type { Broker, Deliver, DeliverSignal } from "../broker/broker.ts";
import { MemoryBroker } from "../broker/memory-broker.ts";
import { RedisBroker } from "../broker/redis/redis-broker.ts";
import type { Config } from "../config/schema.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Metrics } from "../observe/metrics/metrics.ts";
import type { RandomIds } from "../random/random.ts";
import { Canary } from "../redis/canary.ts";
import type { Shards } from "../redis/shards.ts";
import type { ChannelKey, TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";

/** A broker that tells how much of it there is in this process. */
export type MeasuredBroker = Broker & {
  readonly streamCount: number;
  readonly historyBytes: number;
};

/** The broker that the configuration asks for, and whether it works. */
export type BrokerPart = {
  readonly broker: MeasuredBroker;
  /** What was published in every part of it lately would have come here. */
  readonly isWell: boolean;
  close(): Promise<void>;
};

export type BrokerDeps = {
  readonly shards: Shards | undefined;
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly counters: Counters;
  readonly log: Log;
  readonly metrics: Pick<Metrics, "observeCanary" | "observeRoundTrip">;
  readonly deliver: Deliver;
  /** What was delivered of these channels may have had holes, or is over. */
  readonly onDoubt: (concerned: (key: ChannelKey) => boolean) => void;
  readonly deliverSignal: DeliverSignal;
  /** Bytes of history that a tenant may have; undefined: as many as there is room for. */
  readonly historyQuotaOf: (tenant: TenantId) => number | undefined;
};

export function openBroker(
  deps: BrokerDeps,
  { channel, redis }: Pick<Config, "channel" | "redis">,
): BrokerPart {
  const { shards } = deps;
  if (shards === undefined) {
    const broker = new MemoryBroker(deps, { ...channel, historyQuotaOf: deps.historyQuotaOf });
    return { broker, isWell: true, close: async () => broker.close() };
  }
  const broker = new RedisBroker({ ...deps, shards }, { ...channel, ...redis });
  const canaries = openCanaries(deps, shards, broker);
  return {
    broker,
    get isWell() {
      return canaries.every(({ isWell }) => isWell);
    },
    async close() {
      for (const canary of canaries) canary.close();
      broker.close();
    },
  };
}

function openCanaries(
  { clock, random, counters, log, metrics }: BrokerDeps,
  shards: Shards,
  broker: RedisBroker,
): Canary[] {
  const node = random.id(9);
  return shards.all.map((shard) => {
    const canary = new Canary({
      ...{ shard, clock, node },
      send: (partition, topic, body) => broker.probe(shard, partition, { topic, body }),
      observeLag: (seconds) => metrics.observeCanary(shard.name, seconds),
      observeRoundTrip: (seconds) => metrics.observeRoundTrip(shard.name, seconds),
      onDeaf() {
        counters.redisDeafConnections++;
        log.warn({ shard: shard.name }, "a connection to Redis brought nothing, and is replaced");
      },
    });
    canary.start();
    return canary;
  });
}
