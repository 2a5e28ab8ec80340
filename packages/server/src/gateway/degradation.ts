import { pushFrame } from "@aldis/protocol";
import type { Clock, Timer } from "../time/clock.ts";

/** Somebody to be told. */
export type Told = { readonly connection: { sendUrgent(frame: string): void } };

export type DegradationDeps = {
  readonly clock: Clock;
  /** Whether the broker works, all of it. */
  readonly isWell: () => boolean;
  readonly sessions: () => Iterable<Told>;
  /** It has changed. */
  readonly onChange: (degraded: boolean) => void;
};

/** Who starts with a broker that is not there yet waits so long before anybody is told. */
const PATIENCE_MS = 3_000;
const CHECK_MS = 250;

/** Tells clients when the broker has gone, and when it is back (docs/protocol.md ST1). */
export class Degradation {
  readonly #deps: DegradationDeps;
  readonly #sinceMs: number;
  #timer: Timer;
  #degraded = false;

  constructor(deps: DegradationDeps) {
    this.#deps = deps;
    this.#sinceMs = deps.clock.monotonicMs();
    this.#timer = this.#startTimer();
  }

  get degraded(): boolean {
    return this.#degraded;
  }

  /** A session has come: it is told when there is something to tell. */
  greet(session: Told): void {
    if (this.#degraded) session.connection.sendUrgent(statusFrame(true));
  }

  close(): void {
    this.#timer.cancel();
  }

  #startTimer(): Timer {
    return this.#deps.clock.setTimer(CHECK_MS, () => {
      this.#timer = this.#startTimer();
      this.#check();
    });
  }

  #check(): void {
    const { clock, isWell, sessions, onChange } = this.#deps;
    const isStarting = clock.monotonicMs() - this.#sinceMs < PATIENCE_MS;
    const degraded = !isWell() && !isStarting;
    if (degraded === this.#degraded) return;
    this.#degraded = degraded;
    const frame = statusFrame(degraded);
    for (const { connection } of sessions()) connection.sendUrgent(frame);
    onChange(degraded);
  }
}

function statusFrame(degraded: boolean): string {
  return pushFrame("status", { degraded });
}
