// Waits are kept as times of the wall clock, which whoever looks after the host may set back.
import type { Clock } from "../time/clock.ts";

/** The clocks of the hosts of a cluster do not differ by more. */
export const SKEW_MS = 10_000;

/** Whether who was to wait for `waitMs`, until `atMs`, would wait longer than that from now on: the clock was set back meanwhile. Then it has waited enough. */
export function isStretched(atMs: number, waitMs: number, nowMs: number): boolean {
  return atMs - nowMs > waitMs + SKEW_MS;
}

/** Notices that the wall clock of this host was set back. */
export class StepsBack {
  readonly #clock: Clock;
  #aheadMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Since it was asked last; the first time it is true: nobody knows what was before. */
  happened(): boolean {
    const aheadMs = this.#clock.nowMs() - this.#clock.monotonicMs();
    const before = this.#aheadMs;
    this.#aheadMs = aheadMs;
    return before === undefined || aheadMs < before - SKEW_MS;
  }
}
