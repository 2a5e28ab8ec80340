import type { Log } from "../observe/log.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { Unavailable } from "../unavailable.ts";

/** What is done again and again, each time so long after it has ended. */
export class Rounds {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #timers = new Set<Timer>();
  #closed = false;

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** While the store is away, the next time is soon enough. */
  every(intervalMs: number, run: () => Promise<void>): void {
    if (this.#closed) return;
    const timer = this.#clock.setTimer(intervalMs, () => {
      this.#timers.delete(timer);
      void this.#once(run).then(() => this.every(intervalMs, run));
    });
    this.#timers.add(timer);
  }

  async #once(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof Unavailable)) this.#log.error({ err: error }, "jobs fail");
    }
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
