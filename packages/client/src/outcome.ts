import type { AldisError } from "./errors.ts";

/** How a command ended. Told by callback, not by promise: what follows must run before the next frame is read. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: AldisError };

export type Settle<T> = (outcome: Outcome<T>) => void;

/** A promise with its two ends; `Promise.withResolvers` is missing on Node 20. */
export type Deferred<T> = {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
};

/** Nobody has to watch the promise: its rejection alone is no unhandled one. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}

/**
 * Runs `start` as a promise that `signal` can give up: then `stop` runs and the promise rejects with
 * the signal's reason.
 */
export function abortable<T>(
  signal: AbortSignal | undefined,
  start: (settle: Settle<T>) => () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = () => {
      stop();
      reject(signal?.reason);
    };
    let isSettled = false;
    const stop = start((outcome) => {
      isSettled = true;
      signal?.removeEventListener("abort", onAbort);
      if (outcome.ok) resolve(outcome.value);
      else reject(outcome.error);
    });
    if (!isSettled) signal?.addEventListener("abort", onAbort, { once: true });
  });
}
