import { describe, expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { RecentReads } from "./recent-reads.ts";

function open(max = 10) {
  const clock = createFakeClock();
  let evicted = 0;
  const options = { freshMs: 1_000, staleMs: 60_000, max, onEvicted: () => void evicted++ };
  const reads = new RecentReads<number>(clock, options);
  let asked = 0;
  const next = () => Promise.resolve(++asked);
  return { clock, reads, next, evicted: () => evicted };
}

describe("what was read a moment ago", () => {
  test("is answered in the same turn while it is fresh, and many who ask at once ask once", async () => {
    const { clock, reads, next } = open();
    expect(await Promise.all([reads.get("a", next), reads.get("a", next)])).toEqual([1, 1]);
    expect(reads.get("a", next)).toBe(1);
    clock.advance(999);
    expect(reads.get("a", next)).toBe(1);
    clock.advance(1);
    expect(await reads.get("a", next)).toBe(2);
  });

  test("[CT11] is not kept when it was forgotten while it was being read", async () => {
    const { reads, next } = open();
    const slow = Promise.withResolvers<number>();
    const first = reads.get("a", () => slow.promise);
    reads.forget("a");
    slow.resolve(99);
    expect(await first).toBe(99);
    expect(await reads.get("a", next)).toBe(1);
  });

  test("[CT11] gets older from when its reading began", async () => {
    const { clock, reads, next } = open();
    const slow = Promise.withResolvers<number>();
    const first = reads.get("a", () => slow.promise);
    clock.advance(1_000);
    slow.resolve(99);
    await first;
    expect(await reads.get("a", next)).toBe(1);
  });

  test("P5: holds on for a while when it cannot be read again, and not for ever", async () => {
    const { clock, reads, next } = open();
    await reads.get("a", next);
    const away = () => Promise.reject(new Error("away"));
    clock.advance(30_000);
    expect(await reads.get("a", away)).toBe(1);
    clock.advance(30_000);
    await expect(reads.get("a", away) as Promise<number>).rejects.toThrow("away");
    await expect(reads.get("b", away) as Promise<number>).rejects.toThrow("away");
  });

  test("P3: at its bound the first that was read goes, and is counted", async () => {
    const { reads, next, evicted } = open(2);
    for (const name of ["a", "b", "c"]) await reads.get(name, next);
    expect([reads.size, evicted()]).toEqual([2, 1]);
    expect(reads.get("b", next)).toBe(2);
    expect(await reads.get("a", next)).toBe(4);
  });
});
