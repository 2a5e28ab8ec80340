import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { perMinute, perSecond, Rate } from "./rate.ts";

/** A bucket as everyone would write it: tokens that come back with time. */
class PlainBucket {
  readonly perMs: number;
  readonly burst: number;
  tokens: number;
  atMs: number;

  constructor(perMs: number, burst: number, nowMs: number) {
    this.perMs = perMs;
    this.burst = burst;
    this.tokens = burst;
    this.atMs = nowMs;
  }

  /** What is there at `nowMs`. */
  at(nowMs: number): number {
    this.tokens = Math.min(this.burst, this.tokens + (nowMs - this.atMs) * this.perMs);
    this.atMs = nowMs;
    return this.tokens;
  }
}

const perMs = fc.integer({ min: 1, max: 100_000 }).map((perMinute) => perMinute / 60_000);
const burst = fc.integer({ min: 1, max: 500 });
const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 5_000, noNaN: true })),
    cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 700 })),
  }),
  { minLength: 1, maxLength: 80 },
);
/** Also after years of uptime. */
const start = fc.constantFrom(0, 12.345, 3e9, 1e11);

/** When each token was given to somebody who takes all that there are, up to twenty at a time. */
function greedily(rate: Rate, startMs: number, asked: readonly { afterMs: number }[]): number[] {
  let fullAtMs = 0;
  let nowMs = startMs;
  const taken: number[] = [];
  for (const { afterMs } of asked) {
    nowMs += afterMs;
    for (let n = 0; n < 20 && rate.waitMs(fullAtMs, nowMs, 1) === 0; n++) {
      fullAtMs = rate.take(fullAtMs, nowMs, 1);
      taken.push(nowMs);
    }
  }
  return taken;
}

describe("[LI5] a token bucket in one number", () => {
  test("it gives what a plain bucket gives, and takes as much", () => {
    fc.assert(
      fc.property(perMs, burst, start, steps, (rate, size, startMs, asked) => {
        const one = new Rate(rate, size);
        const plain = new PlainBucket(rate, size, startMs);
        let fullAtMs = 0;
        let nowMs = startMs;
        for (const { afterMs, cost } of asked) {
          nowMs += afterMs;
          const there = plain.at(nowMs);
          const needed = Math.min(cost, size);
          // Where rounding alone decides, both answers are right.
          if (Math.abs(there - needed) < 0.01 * Math.max(1, rate)) continue;
          expect(one.waitMs(fullAtMs, nowMs, cost) === 0).toBe(there > needed);
          if (there < needed) continue;
          fullAtMs = one.take(fullAtMs, nowMs, cost);
          plain.tokens -= cost;
        }
      }),
      { numRuns: 500 },
    );
  });

  test("in no window more than burst + rate × time", () => {
    fc.assert(
      fc.property(perMs, burst, start, steps, (rate, size, startMs, asked) => {
        const taken = greedily(new Rate(rate, size), startMs, asked);
        for (const [first, fromMs] of taken.entries()) {
          if (first % 7 > 0) continue;
          const allowed = (atMs: number) => size + rate * (atMs - fromMs + 0.01) + 1e-6;
          const over = taken.findIndex((atMs, n) => n >= first && n - first + 1 > allowed(atMs));
          expect(over).toBe(-1);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("who waits as long as told gets it, and not much sooner", () => {
    fc.assert(
      fc.property(perMs, burst, start, steps, (rate, size, startMs, asked) => {
        const one = new Rate(rate, size);
        let fullAtMs = 0;
        let nowMs = startMs;
        for (const { afterMs, cost } of asked) {
          nowMs += afterMs;
          const waitMs = one.waitMs(fullAtMs, nowMs, cost);
          expect(waitMs).toBeLessThanOrEqual(one.fillMs + (700 / rate) * 2);
          if (waitMs > 1) expect(one.waitMs(fullAtMs, nowMs + waitMs - 1, cost)).toBeGreaterThan(0);
          nowMs += waitMs;
          expect(one.waitMs(fullAtMs, nowMs, cost)).toBe(0);
          fullAtMs = one.take(fullAtMs, nowMs, cost);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("0 is no limit; a minute's worth may come at once", () => {
    expect(perSecond(0, 10)).toBeUndefined();
    expect(perMinute(0)).toBeUndefined();
    const rate = perMinute(60) ?? expect.unreachable();
    let fullAtMs = 0;
    for (let n = 0; n < 60; n++) {
      expect(rate.waitMs(fullAtMs, 5, 1)).toBe(0);
      fullAtMs = rate.take(fullAtMs, 5, 1);
    }
    expect(rate.waitMs(fullAtMs, 5, 1)).toBeCloseTo(1_000, 6);
    expect(rate.waitMs(fullAtMs, 1_005, 1)).toBe(0);
  });
});
