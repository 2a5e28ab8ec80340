import type { Clock, Timer } from "./environment.ts";

/**
 * Notices connections that are dead without saying so. Scripts cannot see WebSocket pings, so after
 * `intervalMs` of silence it sends a `ping` of the protocol (LS2). A timer that fires much too late
 * means that the machine slept: then it asks at once.
 */
export type LivenessOptions = {
  readonly intervalMs: number;
  /** How long an answer may take, milliseconds. */
  readonly timeoutMs: number;
};

export type LivenessEvents = { ping(): void; onDead(): void };

/** Sleep is looked for this often, milliseconds. */
const TICK_MAX_MS = 10_000;

type Probe = { readonly timer: Timer; readonly dueMs: number; readonly again: boolean };

export class Liveness {
  readonly #clock: Clock;
  readonly #options: LivenessOptions;
  readonly #events: LivenessEvents;
  #heardMs: number;
  #tick: Timer;
  #probe: Probe | undefined;

  constructor(clock: Clock, options: LivenessOptions, events: LivenessEvents) {
    this.#clock = clock;
    this.#options = options;
    this.#events = events;
    this.#heardMs = clock.monotonicMs();
    this.#tick = this.#nextTick();
  }

  /** Something came: the connection lives. */
  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
    this.#probe?.timer.cancel();
    this.#probe = undefined;
  }

  /** Asks now; `onDead` follows unless anything comes within the timeout. */
  probe(): void {
    if (this.#probe === undefined) this.#ask({ again: false });
  }

  stop(): void {
    this.#tick.cancel();
    this.#probe?.timer.cancel();
  }

  #nextTick(): Timer {
    const periodMs = Math.min(this.#options.intervalMs, TICK_MAX_MS);
    const dueMs = this.#clock.nowMs() + periodMs;
    return this.#clock.setTimer(periodMs, () => {
      this.#tick = this.#nextTick();
      const silentMs = this.#clock.monotonicMs() - this.#heardMs;
      const lateMs = this.#clock.nowMs() - dueMs;
      if (silentMs >= this.#options.intervalMs || lateMs >= this.#options.intervalMs) this.probe();
    });
  }

  #ask(options: { again: boolean }): void {
    const { timeoutMs } = this.#options;
    const timer = this.#clock.setTimer(timeoutMs, () => this.#unanswered());
    this.#probe = { timer, dueMs: this.#clock.nowMs() + timeoutMs, again: options.again };
    this.#events.ping();
  }

  /**
   * A deadline that itself came late proves nothing: the page was frozen, and the answer may stand
   * behind this timer in the queue. Asked again once.
   */
  #unanswered(): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    const lateMs = this.#clock.nowMs() - probe.dueMs;
    if (lateMs > this.#options.timeoutMs / 2 && !probe.again) this.#ask({ again: true });
    else {
      this.stop();
      this.#events.onDead();
    }
  }
}
