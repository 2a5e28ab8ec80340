/**
 * A token bucket's rate and size. What differs from bucket to bucket is one number, the time at which it is full again
 * (monotonic, 0 for one that was never used): so a connection keeps its buckets as plain number fields, and a bucket that
 * is full is the same as none. In any time t it gives at most `burst + t · rate`, and one take over that where it costs
 * more than a whole bucket. Hot: asked for each frame.
 */
export class Rate {
  /** Milliseconds until one token is back. */
  readonly #tokenMs: number;
  readonly #burst: number;
  /** How long an empty bucket takes to be full. */
  readonly fillMs: number;

  constructor(perMs: number, burst: number) {
    this.#tokenMs = 1 / perMs;
    this.#burst = burst;
    this.fillMs = burst / perMs;
  }

  /** How long until `cost` may be taken; 0: now. Who waits that long, and takes nothing meanwhile, gets it. */
  waitMs(fullAtMs: number, nowMs: number, cost: number): number {
    // What costs more than a whole bucket would never fit: it is let through by a full one, which then owes the rest.
    const needed = Math.min(cost, this.#burst);
    const waitMs = fullAtMs + needed * this.#tokenMs - this.fillMs - nowMs;
    return fullAtMs <= nowMs || waitMs <= ROUNDING_MS ? 0 : waitMs;
  }

  /** By how much `tokens` put off the time at which a bucket is full again. */
  costMs(tokens: number): number {
    return tokens * this.#tokenMs;
  }

  /** When the bucket is full again after `cost` is taken now. Asks nothing: see {@link Rate.waitMs}. */
  take(fullAtMs: number, nowMs: number, cost: number): number {
    return Math.max(fullAtMs, nowMs) + cost * this.#tokenMs;
  }
}

/** What sums of fractions of a millisecond may be off by, in years of uptime. */
const ROUNDING_MS = 1e-3;

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

/** Undefined where `count` is 0, which stands for no limit. */
export function perSecond(count: number, burst: number): Rate | undefined {
  return count === 0 ? undefined : new Rate(count / SECOND_MS, burst);
}

/** A minute's worth may come at once. Undefined where `count` is 0, which stands for no limit. */
export function perMinute(count: number): Rate | undefined {
  return count === 0 ? undefined : new Rate(count / MINUTE_MS, count);
}
