/** A value, or a promise of it: embedded parts answer at once, remote ones later. */
export type Awaitable<T> = T | Promise<T>;

/** What to do with the outcome of an {@link Awaitable}. */
export type Continuation<T> = {
  readonly done: (value: T) => void;
  readonly failed: (error: unknown) => void;
};

/**
 * Goes on with `value` in the same turn when it is there already: the local path never waits for a
 * microtask, so a command's effects happen before the next frame is read. Errors of `done` itself are
 * the caller's when `value` was there, and go to `failed` otherwise.
 */
export function whenReady<T>(value: Awaitable<T>, then: Continuation<T>): void {
  if (value instanceof Promise) value.then(then.done).catch(then.failed);
  else then.done(value);
}

/** Calls `run`; what it throws at once comes as a rejection, like what it throws later. */
export function attempt<T>(run: () => Awaitable<T>): Awaitable<T> {
  try {
    return run();
  } catch (error) {
    return Promise.reject(error);
  }
}

/** What `map` makes of `value`: in this turn when it is there already. */
export function mapReady<T, U>(value: Awaitable<T>, map: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(map) : map(value);
}
