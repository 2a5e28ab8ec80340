import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Bucket, Buckets, takeFrom } from "./buckets.ts";
import { Rate } from "./rate.ts";
import { RecentMap } from "./recent-map.ts";

const steps = fc.array(
  fc.record({
    key: fc.integer({ min: 0, max: 12 }).map((n) => `k${n}`),
    afterMs: fc.constantFrom(0, 0, 1, 400, 999, 1_000, 2_500),
    write: fc.boolean(),
  }),
  { maxLength: 200 },
);

/** The map beside a plain one that forgets nothing. */
class Pair {
  forgotten = 0;
  nowMs = 10;
  readonly map: RecentMap<number>;
  readonly #used = new Map<string, { atMs: number; value: number }>();

  constructor(max: number) {
    this.map = new RecentMap({ max, keepMs: 1_000 }, (count) => {
      this.forgotten += count;
    });
  }

  read(key: string): void {
    const known = this.#used.get(key);
    const found = this.map.get(key, this.nowMs);
    const isKept = known !== undefined && this.nowMs - known.atMs < 1_000 && this.forgotten === 0;
    if (found !== undefined || isKept) expect(found).toBe(known?.value ?? -1);
    if (found !== undefined) this.#used.set(key, { atMs: this.nowMs, value: found });
  }

  write(key: string, value: number): void {
    this.map.set(key, value, this.nowMs);
    this.#used.set(key, { atMs: this.nowMs, value });
  }
}

describe("[P3] what was not used for long is forgotten", () => {
  test("never more than its bound; what was used within the time is there, unless room ran out", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 16 }), steps, (max, asked) => {
        const pair = new Pair(max);
        for (const [value, { key, afterMs, write }] of asked.entries()) {
          pair.nowMs += afterMs;
          pair.read(key);
          if (write) pair.write(key, value);
          expect(pair.map.size).toBeLessThanOrEqual(max);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("all are gone after twice the time", () => {
    const map = new RecentMap<number>({ max: 100, keepMs: 1_000 }, () => expect.unreachable());
    for (let n = 0; n < 40; n++) map.set(`k${n}`, n, 5_000);
    expect(map.get("other", 7_100)).toBeUndefined();
    expect(map.size).toBe(0);
  });

  test("the oldest go first, and are counted", () => {
    let forgotten = 0;
    const map = new RecentMap<number>({ max: 10, keepMs: 1e9 }, (count) => {
      forgotten += count;
    });
    map.set("old", 1, 1);
    for (let n = 0; n < 9; n++) map.set(`k${n}`, n, 2);
    map.get("k0", 3);
    for (let n = 0; n < 5; n++) map.set(`new${n}`, n, 4);
    expect(map.get("old", 5)).toBeUndefined();
    expect(map.get("k0", 5)).toBe(0);
    expect(forgotten).toBeGreaterThan(0);
  });
});

describe("[LI6] a table of buckets", () => {
  test("forgetting full buckets gives nobody more, also to those who hold on to theirs", () => {
    const takes = fc.array(
      fc.record({
        who: fc.constantFrom("holder a", "holder b", "looker"),
        afterMs: fc.constantFrom(0, 0, 0, 0, 0, 0, 0, 0, 1, 300, 999, 1_001, 1_999, 2_001),
      }),
      { maxLength: 150 },
    );
    fc.assert(
      fc.property(takes, (asked) => {
        const rate = new Rate(0.005, 5);
        const bounds = { max: 1_000, fillMs: rate.fillMs };
        const table = new Buckets(bounds, () => expect.unreachable());
        const find = holders(table);
        let plainMs = 0;
        let nowMs = 50;
        for (const { who, afterMs } of asked) {
          nowMs += afterMs;
          const expected = rate.waitMs(plainMs, nowMs, 1);
          if (expected === 0) plainMs = rate.take(plainMs, nowMs, 1);
          expect(takeFrom(find(who, nowMs), rate, nowMs)).toBeCloseTo(expected, 6);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** The same bucket, used by two who hold on to it and by one who looks it up, and somebody else's beside it. */
function holders(table: Buckets): (who: string, nowMs: number) => Bucket {
  const held = new Map<string, Bucket>();
  return (who, nowMs) => {
    if (who === "looker") table.find("bob", nowMs);
    const kept = who === "looker" ? undefined : held.get(who);
    const bucket = kept && table.holds(kept, nowMs) ? kept : table.find("ann", nowMs);
    held.set(who, bucket);
    return bucket;
  };
}
