import type { Clock } from "../time/clock.ts";
import { inTime } from "./in-time.ts";

/** What a turn is told by that it is to end. */
export class TurnSignals {
  readonly #ending = new AbortController();
  readonly #lost = new AbortController();

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** It takes no further step. */
  stop(): void {
    this.#ending.abort();
  }

  /** Another may do it from now on. */
  lose(): void {
    this.#ending.abort();
    this.#lost.abort();
  }
}

/** Of the time that who stops has: so much is for what has begun, the rest for putting back what did not end in it. */
const PATIENCE = 0.8;

/** Waits for what was told to stop; says late that all is lost. Returns whether it ended in time. */
export async function endInTime(
  clock: Clock,
  closeMs: number,
  { ended, lose }: { readonly ended: Promise<unknown>; lose(): void },
): Promise<boolean> {
  if (await inTime(clock, closeMs * PATIENCE, ended)) return true;
  lose();
  return await inTime(clock, closeMs * (1 - PATIENCE), ended);
}
