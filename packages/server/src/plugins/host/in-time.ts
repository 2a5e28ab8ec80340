import type { Awaitable } from "../../awaitable.ts";
import type { Clock } from "../../time/clock.ts";
import { TooSlow } from "./plugin-faults.ts";

/** What a plugin gave, as ours: it may have promises of its own kind. */
export function settled<T>(value: Awaitable<T>): Awaitable<T> {
  if (value instanceof Promise || !isThenable(value)) return value;
  return Promise.resolve(value);
}

function isThenable(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/** Rejects with {@link TooSlow} when `value` has not come within `limitMs`. What comes later is nobody's. */
export function inTime<T>(clock: Clock, limitMs: number, value: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(limitMs, () => reject(new TooSlow(`longer than ${limitMs} ms`)));
    value.then(
      (came) => {
        timer.cancel();
        resolve(came);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
