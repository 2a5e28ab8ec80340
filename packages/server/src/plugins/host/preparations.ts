import type { Clock, Timer } from "../../time/clock.ts";
import { Unavailable } from "../../unavailable.ts";
import type { PluginFaults } from "./plugin-faults.ts";

const AGAIN_MS = 500;

export type PreparationsDeps = {
  readonly clock: Clock;
  /** Calls `run` when the store is open. */
  readonly whenOpen: (run: () => void) => void;
};

/** What plugins read before they are asked anything. */
export class Preparations {
  readonly #deps: PreparationsDeps;
  #pending = 0;

  constructor(deps: PreparationsDeps) {
    this.#deps = deps;
  }

  /** Whether all of them have read it. */
  get areDone(): boolean {
    return this.#pending === 0;
  }

  /** Calls `run` when the store is open, and again until it succeeds. Returns what stops that. */
  add(run: () => Promise<void>, faults: PluginFaults): () => void {
    const { clock, whenOpen } = this.#deps;
    let timer: Timer | undefined;
    let closed = false;
    this.#pending++;
    const tryOnce = async () => {
      if (closed) return;
      try {
        await run();
        this.#pending--;
      } catch (error) {
        // The store has gone again: that is told elsewhere.
        if (!(error instanceof Unavailable)) faults.note("prepare", error);
        if (!closed) timer = clock.setTimer(AGAIN_MS, () => void tryOnce());
      }
    };
    whenOpen(() => void tryOnce());
    return () => {
      closed = true;
      timer?.cancel();
    };
  }
}
