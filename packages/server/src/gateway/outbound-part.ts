import type { Config } from "../config/schema.ts";
import { type Counters, countPair } from "../observe/counters.ts";
import type { Metrics } from "../observe/metrics/metrics.ts";
import { createOutbound } from "../outbound/create-outbound.ts";
import type { OutboundClient } from "../outbound/outbound.ts";
import type { Clock } from "../time/clock.ts";

export type OutboundPartDeps = {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly metrics: Metrics;
};

export function openOutbound(
  { clock, counters, metrics }: OutboundPartDeps,
  { outbound }: Config,
): OutboundClient {
  const observe = (purpose: string, outcome: string, seconds: number) => {
    countPair(counters.outboundRequests, purpose, outcome);
    metrics.observeOutbound(purpose, seconds);
  };
  return createOutbound({ clock, observe }, outbound);
}
