import { expect, test } from "bun:test";
import { Stillness } from "./stillness.ts";

function looked(stillness: Stillness, atMs: number, token: string): number {
  stillness.look(atMs);
  return stillness.stillMs("a", token);
}

test("what moves is never still; what stands is, for as long as it was looked at", () => {
  const stillness = new Stillness(2_000);
  expect(looked(stillness, 1_000, "1")).toBe(0);
  expect(looked(stillness, 2_000, "2")).toBe(0);
  expect(looked(stillness, 3_000, "2")).toBe(1_000);
  expect(looked(stillness, 4_500, "2")).toBe(2_500);
  expect(looked(stillness, 5_500, "3")).toBe(0);
  expect(stillness.changedAtMs("a")).toBe(5_500);
});

test("faults 13: while the observer itself slept, or could not look, two heartbeats count and no more", () => {
  const stillness = new Stillness(2_000);
  looked(stillness, 0, "1");
  expect(looked(stillness, 1_000_000, "1")).toBe(2_000);
  expect(looked(stillness, 1_000_500, "1")).toBe(2_500);
});

test("what is forgotten begins anew", () => {
  const stillness = new Stillness(2_000);
  looked(stillness, 0, "1");
  looked(stillness, 1_000, "1");
  expect(stillness.missing(new Set(["b"]))).toEqual(["a"]);
  stillness.forget("a");
  expect(stillness.missing(new Set())).toEqual([]);
  expect(looked(stillness, 2_000, "1")).toBe(0);
});
