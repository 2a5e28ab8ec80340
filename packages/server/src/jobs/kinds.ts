import { JOB_KEY_MAX, type JobKind, type JobQueue } from "./jobs.ts";

/** A time before all others: what is woken by `now`. */
export const AT_ONCE = 0;

const NAME = /^[a-z][a-z0-9.-]{0,99}$/;

/** The kinds of work that this process knows. */
export class Kinds {
  readonly #kinds = new Map<string, JobKind>();

  /** Throws a `TypeError` for a name that is taken, or none. */
  add(kind: JobKind): void {
    if (!NAME.test(kind.name)) {
      throw new TypeError(`job ${kind.name}: its name has lower case letters, digits and \`-\``);
    }
    if (this.#kinds.has(kind.name)) throw new TypeError(`job ${kind.name} is defined already`);
    this.#kinds.set(kind.name, kind);
  }

  get(name: string): JobKind | undefined {
    return this.#kinds.get(name);
  }

  of(queue: JobQueue): JobKind[] {
    return [...this.#kinds.values()].filter((kind) => kind.queue === queue);
  }
}

/** Throws a `TypeError` for what not every database and no Redis key could hold. */
export function checkJobKey(key: string): void {
  const isFit = key.length >= 1 && key.length <= JOB_KEY_MAX && key.isWellFormed();
  if (!isFit || key.includes("\0")) {
    throw new TypeError(`a job's key has 1 to ${JOB_KEY_MAX} characters, without NUL`);
  }
}

/** A time as it is kept: whole Unix milliseconds. Throws a `TypeError` for what is no time. */
export function wholeMs(ms: number): number {
  if (typeof ms !== "number" || Number.isNaN(ms)) throw new TypeError("a time is a number");
  return Math.trunc(Math.min(Number.MAX_SAFE_INTEGER, Math.max(1, ms)));
}
