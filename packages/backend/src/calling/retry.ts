/** When a call is tried again: after temporary failures alone, and only if that is harmless or nothing has happened. */
import { AldisError, timedOut } from "../errors.ts";

/** Time and chance, which tests bring along. */
export type RetryDeps = {
  readonly nowMs: () => number;
  /** Resolves when the time is over or the signal is aborted. */
  readonly wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  /** From 0 to below 1. */
  readonly random: () => number;
};

export type RetryPolicy = {
  readonly retries: number;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  /** What was sent before may be sent again, whatever became of it. */
  readonly repeatable: boolean;
  readonly signal: AbortSignal | undefined;
};

const FIRST_PAUSE_MS = 200;
const PAUSE_MAX_MS = 5_000;
/** A timer that is set for longer fires at once. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export async function withRetries<T>(
  deps: RetryDeps,
  policy: RetryPolicy,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const endsAtMs = deps.nowMs() + policy.deadlineMs;
  for (let tried = 0; ; tried++) {
    policy.signal?.throwIfAborted();
    const leftMs = Math.max(1, endsAtMs - deps.nowMs());
    try {
      return await limited(Math.min(policy.timeoutMs, leftMs), policy.signal, attempt);
    } catch (error) {
      if (!(error instanceof AldisError) || policy.signal?.aborted === true) throw error;
      if (tried >= policy.retries || !mayRepeat(error, policy.repeatable)) throw error;
      const pauseMs = pauseOf(error, tried, deps.random());
      // Waiting for what comes too late helps nobody: the caller hears the reason now.
      if (deps.nowMs() + pauseMs >= endsAtMs) throw error;
      await deps.wait(pauseMs, policy.signal);
    }
  }
}

function mayRepeat(error: AldisError, repeatable: boolean): boolean {
  return error.temporary && (repeatable || error.effect === "none");
}

/** Full jitter, so that those who failed together do not come back together; on top of what the gateway asks for. */
function pauseOf(error: AldisError, tried: number, random: number): number {
  const spreadMs = Math.min(PAUSE_MAX_MS, FIRST_PAUSE_MS * 2 ** tried);
  return (error.retryAfterMs ?? 0) + random * spreadMs;
}

/** `AbortSignal.any` and `AbortSignal.timeout` in one, for runtimes that have no `any`. */
async function limited<T>(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const own = new AbortController();
  const onAbort = () => own.abort(signal?.reason);
  const onTime = () => own.abort(timedOut(timeoutMs));
  const timer = setTimeout(onTime, Math.min(timeoutMs, TIMER_MAX_MS));
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    return await attempt(own.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

export const REAL_TIME: RetryDeps = {
  nowMs: () => Date.now(),
  random: () => Math.random(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end, { once: true });
      if (signal?.aborted === true) end();
    }),
};
