import { expect, test } from "bun:test";
import { createSeededRandom } from "@aldis/testkit";
import { type Point, trendOf } from "./trend.ts";

const MINUTE_MS = 60_000;

function series(count: number, valueAt: (minute: number) => number): Point[] {
  return Array.from({ length: count }, (_, minute) => ({
    atMs: minute * MINUTE_MS,
    value: valueAt(minute),
  }));
}

test("noise around a constant is flat, and the slope's interval holds zero", () => {
  const random = createSeededRandom(7);
  const trend = trendOf(series(60, () => 100 + random.next() * 2));
  expect(trend?.verdict).toBe("flat");
  expect(Math.abs(trend?.slopePerHour ?? 99)).toBeLessThanOrEqual(trend?.plusMinus ?? 0);
});

test("a leak of 6 % an hour below noise of 2 % is seen within the hour", () => {
  const random = createSeededRandom(7);
  const trend = trendOf(series(60, (minute) => 100 + minute * 0.1 + random.next() * 2));
  expect(trend?.verdict).toBe("grows");
  expect(trend?.slopePerHour).toBeCloseTo(6, 0);
});

test("what fills up in the first third and then stays is flat", () => {
  const trend = trendOf(series(60, (minute) => 100 + Math.min(minute, 18)));
  expect(trend).toMatchObject({ verdict: "flat", slopePerHour: 0, plusMinus: 0 });
});

test("a few readings that scatter widely decide nothing", () => {
  const values = [100, 130, 90, 128, 96, 131, 99, 133, 97];
  const points = series(18, (minute) => values[minute % 9] ?? 0);
  expect(trendOf(points)?.verdict).toBe("unclear");
});

test("a staircase that rises without end is growth, though neighbours are alike", () => {
  const trend = trendOf(series(120, (minute) => 100 + Math.floor(minute / 10) * 3));
  expect(trend?.verdict).toBe("grows");
});

test("nothing is said about hours after a minute, however steep", () => {
  const points = series(30, (minute) => 100 + minute);
  const squeezed = points.map(({ atMs, value }) => ({ atMs: atMs / 30, value }));
  expect(trendOf(squeezed)?.verdict).toBe("too short");
});

test("too few readings for a line give none", () => {
  expect(trendOf(series(4, () => 1))).toBeUndefined();
});
