import { type JobsPlace, openJobs } from "./open-jobs.ts";

/** So many wakes are on their way at a time. */
const WAKES = 200;

export type JobFigures = {
  /** By a gateway that works none of it, as `aldis gateway`. */
  readonly wakes: number;
  /** Of a backlog, as `aldis worker` finds one when it starts. */
  readonly turns: number;
  /** From the first wake to the last turn, by one process that does both, as `aldis start`. */
  readonly both: number;
};

/** Each is of `keys` keys, and a second. Every one that was woken must have had its turn. */
export async function measureJobs(place: JobsPlace, keys: number): Promise<JobFigures> {
  const all = Array.from({ length: keys }, (_, n) => `key-${n}`);
  const wakes = await measureWakes(place, all);
  const backlog = new Turns(keys);
  let turns: number;
  {
    await using _worker = await openJobs(place, true, (key) => backlog.note(key));
    turns = await backlog.aSecond();
  }
  const seen = new Turns(keys);
  await using one = await openJobs(place, true, (key) => seen.note(key));
  const beganMs = performance.now();
  await wakeAll(one.wake, all);
  await seen.done;
  return { wakes, turns, both: perSecond(keys, performance.now() - beganMs) };
}

async function measureWakes(place: JobsPlace, keys: readonly string[]): Promise<number> {
  await using gateway = await openJobs(place, false, () => undefined);
  const beganMs = performance.now();
  await wakeAll(gateway.wake, keys);
  return perSecond(keys.length, performance.now() - beganMs);
}

async function wakeAll(wake: (key: string) => Promise<void>, keys: readonly string[]) {
  const waiting = keys.values();
  const lane = async () => {
    for (const key of waiting) await wake(key);
  };
  await Promise.all(Array.from({ length: WAKES }, lane));
}

/** Turns of so many keys, counted from the first. */
class Turns {
  readonly #missing: number;
  readonly #keys = new Set<string>();
  readonly #all = Promise.withResolvers<void>();
  #firstMs: number | undefined;
  #lastMs = 0;

  constructor(keys: number) {
    this.#missing = keys;
  }

  note(key: string): undefined {
    this.#firstMs ??= performance.now();
    this.#keys.add(key);
    if (this.#keys.size < this.#missing) return;
    this.#lastMs = performance.now();
    this.#all.resolve();
  }

  get done(): Promise<void> {
    return this.#all.promise;
  }

  async aSecond(): Promise<number> {
    await this.done;
    return perSecond(this.#missing, this.#lastMs - (this.#firstMs ?? 0));
  }
}

function perSecond(count: number, ms: number): number {
  return (count * 1_000) / Math.max(ms, 0.001);
}
