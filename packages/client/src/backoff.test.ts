import { expect, test } from "bun:test";
import fc from "fast-check";
import { fullJitterMs } from "./backoff.ts";

const bounds = { minMs: 500, maxMs: 20_000 };

test("the wait is even over [0, min(maxMs, minMs · 2^attempt))", () => {
  fc.assert(
    fc.property(fc.nat(100), fc.double({ min: 0, max: 1, maxExcluded: true }), (attempt, r) => {
      const windowMs = Math.min(20_000, 500 * 2 ** attempt);
      expect(fullJitterMs(bounds, attempt, () => r)).toBe(r * windowMs);
    }),
  );
});

test("an endless row of attempts stays at the cap", () => {
  expect(fullJitterMs(bounds, Number.POSITIVE_INFINITY, () => 0.5)).toBe(10_000);
});
