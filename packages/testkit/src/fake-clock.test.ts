import { expect, test } from "bun:test";
import { createFakeClock } from "./fake-clock.ts";
import { createSeededRandom } from "./seeded-random.ts";

test("timers run in order of their time, then of their setting, at their own time", () => {
  const clock = createFakeClock();
  const start = clock.monotonicMs();
  const ran: [string, number][] = [];
  const at = (name: string) => () => ran.push([name, clock.monotonicMs() - start]);
  clock.setTimer(20, at("c"));
  clock.setTimer(10, at("a"));
  clock.setTimer(10, at("b"));
  clock.setTimer(-5, at("past"));
  clock.setTimer(15, at("cancelled")).cancel();
  clock.advance(19);
  expect(ran).toEqual([
    ["past", 0],
    ["a", 10],
    ["b", 10],
  ]);
  expect(clock.pending).toBe(1);
  clock.advance(1);
  expect(ran.at(-1)).toEqual(["c", 20]);
});

test("a timer that sets another is followed within one advance", () => {
  const clock = createFakeClock();
  const ran: number[] = [];
  const again = () => {
    ran.push(clock.monotonicMs());
    if (ran.length < 3) clock.setTimer(10, again);
  };
  const start = clock.monotonicMs();
  clock.setTimer(10, again);
  clock.advance(100);
  expect(ran).toEqual([start + 10, start + 20, start + 30]);
  expect(clock.monotonicMs()).toBe(start + 100);
});

test("the wall clock moves with the monotonic one, and alone when it is set", () => {
  const clock = createFakeClock(1_000_000);
  const monotonic = clock.monotonicMs();
  expect(clock.nowMs()).toBe(1_000_000);
  clock.advance(5);
  expect(clock.nowMs()).toBe(1_000_005);
  clock.setTimer(100, () => expect.unreachable());
  clock.setWallClock(9_000_000);
  expect([clock.nowMs(), clock.monotonicMs()]).toEqual([9_000_000, monotonic + 5]);
});

test("the same seed gives the same run, another one another", () => {
  const run = (seed: number) => {
    const random = createSeededRandom(seed);
    return [random.next(), random.between(0, 1_000), random.pick([1, 2, 3]), random.id(12)];
  };
  expect(run(1)).toEqual(run(1));
  expect(run(1)).not.toEqual(run(2));
});

test("numbers stay in their range and reach its ends; ids do not repeat", () => {
  const random = createSeededRandom(3);
  const numbers = Array.from({ length: 2_000 }, () => random.between(-1, 3));
  expect(new Set(numbers)).toEqual(new Set([-1, 0, 1, 2, 3]));
  const ids = Array.from({ length: 2_000 }, () => random.id(9));
  expect(new Set(ids).size).toBe(2_000);
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{12}$/);
  expect(Array.from({ length: 100 }, () => random.chance(0))).not.toContain(true);
  expect(Array.from({ length: 100 }, () => random.chance(1))).not.toContain(false);
});
