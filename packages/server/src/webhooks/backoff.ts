// When to try again, and whether an endpoint counts as down. Pure: what they go by is kept with the endpoint's progress, so that every process says the same, also after a restart.
import type { WebhooksConfig } from "./config.ts";
import type { ProgressState } from "./records.ts";

/** Half of the time is by chance: endpoints that failed together do not come back together. */
export function backoffMs(
  failures: number,
  { backoffMs: first, backoffMaxMs }: Pick<WebhooksConfig, "backoffMs" | "backoffMaxMs">,
  chance: number,
): number {
  const whole = Math.min(first * 2 ** Math.min(failures - 1, 40), backoffMaxMs);
  return Math.ceil(whole / 2 + (whole / 2) * chance);
}

/** `open`: it has failed too often, and nothing is sent. `half-open`: the next request is a probe. */
export type BreakerState = "closed" | "open" | "half-open";

/** Of an endpoint, for all processes together: it counts failures in a row across batches. While it is not closed no batch of more than one event is begun. */
export function breakerOf(
  { failures, nextAt }: Pick<ProgressState, "failures" | "nextAt">,
  nowMs: number,
  breakerFailures: number,
): BreakerState {
  if (failures < breakerFailures) return "closed";
  return nextAt > nowMs ? "open" : "half-open";
}
