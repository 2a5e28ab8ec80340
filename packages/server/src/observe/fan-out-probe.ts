import type { Clock } from "../time/clock.ts";
import type { Counters } from "./counters.ts";

export type FanOutProbeDeps = {
  readonly clock: Clock;
  readonly counters: Pick<Counters, "deliveries">;
};

/** Of so many publications one is timed. */
const EVERY = 16;

/**
 * Times fan-out: from a publication's coming to the hub until the end of the turn of the loop, when all subscribers' sockets
 * that take something have it. Hot: for the publications that are not timed `begin` is two additions and one comparison.
 */
export class FanOutProbe {
  readonly #clock: Clock;
  readonly #counters: Pick<Counters, "deliveries">;
  readonly #observe: (seconds: number) => void;
  #count = 0;
  #startedMs = -1;

  constructor(deps: FanOutProbeDeps, observe: (seconds: number) => void) {
    this.#clock = deps.clock;
    this.#counters = deps.counters;
    this.#observe = observe;
  }

  /** A publication has subscribers here and is about to be handed to them. */
  begin(subscribers: number): void {
    this.#counters.deliveries += subscribers;
    if (this.#count++ % EVERY === 0 && this.#startedMs < 0)
      this.#startedMs = this.#clock.monotonicMs();
  }

  /** All outboxes of this turn were flushed. */
  end(): void {
    if (this.#startedMs < 0) return;
    this.#observe((this.#clock.monotonicMs() - this.#startedMs) / 1000);
    this.#startedMs = -1;
  }
}
