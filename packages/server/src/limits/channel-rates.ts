import type { ChannelKey } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { Buckets, takeFrom } from "./buckets.ts";
import type { Rate } from "./rate.ts";

/** The schema of namespaces lets no bucket take longer to be full. */
export const CHANNEL_FILL_MAX_MS = 60_000;

/** How fast channels are published to, whoever publishes. */
export type ChannelRates = {
  /** Somebody publishes. Returns how long they must wait; 0: it counts. */
  take(rate: Rate, channel: ChannelKey): number;
};

export function createChannelRates(
  deps: { readonly clock: Clock; readonly onForgotten: (count: number) => void },
  max: number,
): ChannelRates {
  const buckets = new Buckets({ max, fillMs: CHANNEL_FILL_MAX_MS }, deps.onForgotten);
  return {
    take(rate, channel) {
      const nowMs = deps.clock.monotonicMs();
      return takeFrom(buckets.find(channel, nowMs), rate, nowMs);
    },
  };
}
