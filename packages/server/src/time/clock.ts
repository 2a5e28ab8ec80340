/** A pending call of {@link Clock.setTimer}. */
export type Timer = { cancel(): void };

/**
 * All the time the gateway knows. Tests pass a clock that they move by hand.
 * Wall time is for what others see (timestamps, token expiry) and may jump when the host's clock is
 * set; durations are measured by the monotonic time alone.
 */
export type Clock = {
  /** Unix milliseconds. */
  nowMs(): number;
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`; delays beyond what the engine can hold are shortened to that. */
  setTimer(delayMs: number, run: () => void): Timer;
};

/** `setTimeout` takes a signed 32-bit delay and fires at once on a greater one (a token valid for a year, say). */
const DELAY_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs, run) {
    const handle = setTimeout(run, Math.min(Math.max(0, delayMs), DELAY_MAX_MS));
    return { cancel: () => clearTimeout(handle) };
  },
};
