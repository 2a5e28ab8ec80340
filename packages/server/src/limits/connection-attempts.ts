import type { Clock } from "../time/clock.ts";
import { Buckets, takeFrom } from "./buckets.ts";
import { perMinute } from "./rate.ts";

export type ConnectionAttempts = {
  /** An address tries to connect. Returns how long it must wait; 0: it may. */
  take(address: string): number;
};

/** Attack: one address that opens connections as fast as it can, each with a handshake and a token to judge. Undefined: no limit. */
export function createConnectionAttempts(
  deps: { readonly clock: Clock; readonly onForgotten: (count: number) => void },
  limits: { readonly connectionAttemptsPerMinute: number; readonly addressesMax: number },
): ConnectionAttempts | undefined {
  const rate = perMinute(limits.connectionAttemptsPerMinute);
  if (rate === undefined) return undefined;
  const bounds = { max: limits.addressesMax, fillMs: rate.fillMs };
  const buckets = new Buckets(bounds, deps.onForgotten);
  return {
    take(address) {
      const nowMs = deps.clock.monotonicMs();
      return takeFrom(buckets.find(address, nowMs), rate, nowMs);
    },
  };
}
