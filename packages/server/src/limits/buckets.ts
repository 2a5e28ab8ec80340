import type { Rate } from "./rate.ts";
import { RecentMap } from "./recent-map.ts";

/** One bucket of a table, and the table's round in which it was last looked up. */
export type Bucket = {
  fullAtMs: number;
  round: number;
  /** Tokens taken here that other nodes have not been told of. */
  untold: number;
};

/**
 * Buckets by name (an address, a user, a channel), made when first used and forgotten when they are full again, which makes
 * no difference to anybody. When there are too many the oldest go before they are full: their owners may then do more than
 * they should, so that nobody is refused for what others do.
 */
export class Buckets {
  readonly #map: RecentMap<Bucket>;

  /** `fillMs`: how long the slowest of them takes to be full again. */
  constructor(
    bounds: { readonly max: number; readonly fillMs: number },
    onForgotten: (count: number) => void,
  ) {
    this.#map = new RecentMap({ max: bounds.max, keepMs: bounds.fillMs }, onForgotten);
  }

  get size(): number {
    return this.#map.size;
  }

  find(name: string, nowMs: number): Bucket {
    let bucket = this.#map.get(name, nowMs);
    if (bucket === undefined) {
      bucket = { fullAtMs: 0, round: 0, untold: 0 };
      this.#map.set(name, bucket, nowMs);
    }
    bucket.round = this.#map.round;
    return bucket;
  }

  /** Whether a bucket found earlier is still the one that counts, without looking it up. */
  holds(bucket: Bucket, nowMs: number): boolean {
    return this.#map.isIn(bucket.round, nowMs);
  }
}

/** Takes from a bucket, unless there is not enough in it. Returns how long to wait; 0: it is taken. */
export function takeFrom(bucket: Bucket, rate: Rate, nowMs: number): number {
  const waitMs = rate.waitMs(bucket.fullAtMs, nowMs, 1);
  if (waitMs === 0) bucket.fullAtMs = rate.take(bucket.fullAtMs, nowMs, 1);
  return waitMs;
}
