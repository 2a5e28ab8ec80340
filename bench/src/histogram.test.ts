import { expect, test } from "bun:test";
import { Histogram } from "./histogram.ts";

test("percentiles are within 2 % of the true ones", () => {
  const histogram = new Histogram();
  for (let ms = 1; ms <= 1000; ms++) {
    histogram.record(ms);
  }
  expect(histogram.percentile(0.5) / 500).toBeCloseTo(1, 1);
  expect(Math.abs(histogram.percentile(0.99) / 990 - 1)).toBeLessThan(0.02);
});

test("merged rounds give the percentile of all samples, not a mean of percentiles", () => {
  const slow = new Histogram();
  const fast = new Histogram();
  slow.record(100);
  for (let sample = 0; sample < 99; sample++) {
    fast.record(1);
  }
  const merged = new Histogram().merge(slow.dump()).merge(fast.dump());
  expect(merged.total).toBe(100);
  expect(merged.percentile(0.99)).toBeLessThan(1.1);
  expect(merged.percentile(1)).toBeGreaterThan(95);
});

test("without samples there is no percentile", () => {
  expect(new Histogram().percentile(0.5)).toBeNaN();
});
