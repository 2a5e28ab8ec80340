import { expect, test } from "bun:test";
import { ratioSpread, showCount, showSpread, spreadOf, threeDigits } from "./statistics.ts";

test("the median lies between the middle two of an even number", () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spreadOf([Number.NaN])).toBeUndefined();
});

test("ratios are taken within each round before their median", () => {
  expect(ratioSpread([10, 1], [20, 2])).toEqual({ median: 0.5, min: 0.5, max: 0.5 });
});

test("numbers are shown with three digits", () => {
  expect([156_123, 2_913_000, 999_600, 4321].map(showCount)).toEqual([
    "156 k",
    "2.91 M",
    "1.00 M",
    "4321",
  ]);
  expect(showSpread(spreadOf([0.8, 0.7, 0.9]), threeDigits)).toBe("0.80 (0.70–0.90)");
});
