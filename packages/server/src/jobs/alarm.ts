import type { Clock, Timer } from "../time/clock.ts";

/** One timer, for the earliest of the times that are near; what is further away is found by the looks that are taken at all events. */
export class Alarm {
  readonly #clock: Clock;
  readonly #nearMs: number;
  readonly #ring: () => void;
  #set: { readonly atMs: number; readonly timer: Timer } | undefined;
  #closed = false;

  constructor(clock: Clock, nearMs: number, ring: () => void) {
    this.#clock = clock;
    this.#nearMs = nearMs;
    this.#ring = ring;
  }

  set(atMs: number): void {
    const waitMs = atMs - this.#clock.nowMs();
    const isEarlier = this.#set === undefined || atMs < this.#set.atMs;
    if (!isEarlier || waitMs > this.#nearMs || this.#closed) return;
    this.#set?.timer.cancel();
    const timer = this.#clock.setTimer(waitMs, () => {
      this.#set = undefined;
      this.#ring();
    });
    this.#set = { atMs, timer };
  }

  close(): void {
    this.#closed = true;
    this.#set?.timer.cancel();
  }
}
