import type { Broker, Deliver, DeliverSignal } from "../broker/broker.ts";
import { MemoryBroker } from "../broker/memory-broker.ts";
import { RedisBroker } from "../broker/redis/redis-broker.ts";
import type { Config } from "../config/schema.ts";
import type { RandomIds } from "../random/random.ts";
import type { Shards } from "../redis/shards.ts";
import type { Clock } from "../time/clock.ts";

/** A broker that tells how much of it there is in this process. */
export type MeasuredBroker = Broker & {
  readonly streamCount: number;
  readonly historyBytes: number;
};

export type BrokerDeps = {
  readonly shards: Shards | undefined;
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly deliver: Deliver;
  readonly deliverSignal: DeliverSignal;
};

/** The broker that the configuration asks for. */
export function openBroker(
  { shards, ...deps }: BrokerDeps,
  { channel, redis }: Pick<Config, "channel" | "redis">,
): MeasuredBroker {
  if (shards === undefined) return new MemoryBroker(deps, channel);
  return new RedisBroker({ ...deps, shards }, { ...channel, ...redis });
}
