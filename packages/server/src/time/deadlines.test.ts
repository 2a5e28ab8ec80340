import { describe, expect, test } from "bun:test";
import { createFakeClock, createSeededRandom } from "@aldis/testkit";
import fc from "fast-check";
import { type Clock, systemClock } from "./clock.ts";
import { createDeadlines, type Deadlines, type Due } from "./deadlines.ts";

type Item = Due & { readonly name: number };

const item = (name: number): Item => ({ name, dueAtMs: 0, heapIndex: -1 });

describe("deadlines", () => {
  test("each item is called once, when its time has come", () => {
    const clock = createFakeClock();
    const called: [number, number][] = [];
    const deadlines = createDeadlines<Item>(clock, ({ name }) => {
      called.push([name, clock.monotonicMs()]);
    });
    const now = clock.monotonicMs();
    for (const [name, after] of [30, 10, 20].entries()) deadlines.set(item(name), now + after);
    clock.advance(9);
    expect(called).toEqual([]);
    clock.advance(100);
    expect(called).toEqual([
      [1, now + 10],
      [2, now + 20],
      [0, now + 30],
    ]);
    expect([deadlines.size, clock.pending]).toEqual([0, 0]);
  });

  test("an item that is moved is called at its new time alone, sooner or later", () => {
    const clock = createFakeClock();
    const called: number[] = [];
    const deadlines = createDeadlines<Item>(clock, () => called.push(clock.monotonicMs()));
    const now = clock.monotonicMs();
    const [later, sooner] = [item(1), item(2)];
    deadlines.set(later, now + 10);
    deadlines.set(sooner, now + 50);
    deadlines.set(later, now + 40);
    deadlines.set(sooner, now + 5);
    clock.advance(1_000);
    expect(called).toEqual([now + 5, now + 40]);
  });

  test("an item that is moved behind others lets them go first", () => {
    const clock = createFakeClock();
    const called: number[] = [];
    const deadlines = createDeadlines<Item>(clock, ({ name }) => called.push(name));
    const now = clock.monotonicMs();
    const items = [0, 1, 2, 3, 4].map(item);
    for (const one of items) deadlines.set(one, now + 10 * (one.name + 1));
    for (const one of items.slice(0, 2)) deadlines.set(one, now + 100 - one.name);
    clock.advance(60);
    expect(called).toEqual([2, 3, 4]);
    clock.advance(60);
    expect(called).toEqual([2, 3, 4, 1, 0]);
  });

  test("an item that is removed is not called, and may be set again", () => {
    const clock = createFakeClock();
    const called: number[] = [];
    const deadlines = createDeadlines<Item>(clock, ({ name }) => called.push(name));
    const items = [0, 1, 2, 3].map(item);
    for (const one of items) deadlines.set(one, clock.monotonicMs() + 10);
    for (const one of items.slice(1, 3)) deadlines.remove(one);
    for (const one of items.slice(1, 3)) deadlines.remove(one);
    clock.advance(10);
    expect(called.sort()).toEqual([0, 3]);
    for (const one of items.slice(1, 2)) deadlines.set(one, clock.monotonicMs() + 5);
    clock.advance(5);
    expect(called).toEqual([0, 3, 1]);
  });

  test("what is set again while it is called comes again, also when it is due at once", () => {
    const clock = createFakeClock();
    let calls = 0;
    const deadlines: Deadlines<Item> = createDeadlines<Item>(clock, (one) => {
      if (++calls < 5) deadlines.set(one, clock.monotonicMs() + (calls % 2) * 10);
    });
    deadlines.set(item(0), clock.monotonicMs() + 10);
    clock.advance(1_000);
    expect(calls).toBe(5);
  });

  test("a storm is handled in batches of a thousand, each with a turn of its own", () => {
    const timers: (() => void)[] = [];
    let now = 0;
    const clock: Clock = {
      nowMs: () => now,
      monotonicMs: () => now,
      setTimer(_, run) {
        timers.push(run);
        return { cancel: () => timers.splice(timers.indexOf(run), 1) };
      },
    };
    let calls = 0;
    const deadlines = createDeadlines<Item>(clock, () => calls++);
    for (let name = 0; name < 2_500; name++) deadlines.set(item(name), 10);
    now = 10;
    const afterEach: number[] = [];
    while (timers.length > 0) {
      expect(timers.length).toBe(1);
      timers.shift()?.();
      afterEach.push(calls);
    }
    expect(afterEach).toEqual([1_000, 2_000, 2_500]);
  });

  test("one timer serves them all", () => {
    const clock = createFakeClock();
    const deadlines = createDeadlines<Item>(clock, () => {});
    const random = createSeededRandom(3);
    for (let name = 0; name < 500; name++) {
      deadlines.set(item(name), clock.monotonicMs() + random.between(1, 1_000));
      expect(clock.pending).toBe(1);
    }
    deadlines.close();
    expect([clock.pending, deadlines.size]).toEqual([0, 0]);
  });

  test("after a close nothing is called, and nothing is armed", () => {
    const clock = createFakeClock();
    const called: number[] = [];
    const deadlines = createDeadlines<Item>(clock, ({ name }) => called.push(name));
    const one = item(1);
    deadlines.set(one, clock.monotonicMs() + 10);
    deadlines.close();
    expect(one.heapIndex).toBe(-1);
    deadlines.set(item(2), clock.monotonicMs() + 10);
    clock.advance(1_000);
    expect([called, clock.pending]).toEqual([[], 0]);
  });

  test("faults 13: the wall clock decides nothing", () => {
    const clock = createFakeClock();
    let calls = 0;
    const deadlines = createDeadlines<Item>(clock, () => calls++);
    deadlines.set(item(0), clock.monotonicMs() + 1_000);
    clock.setWallClock(clock.nowMs() + 3_600_000);
    clock.advance(999);
    clock.setWallClock(clock.nowMs() - 7_200_000);
    expect(calls).toBe(0);
    clock.advance(1);
    expect(calls).toBe(1);
  });

  test("a timer that comes early, as a shortened one does, calls nothing before its time", () => {
    const clock = createFakeClock();
    const early: Clock = {
      ...clock,
      setTimer: (delayMs, run) => clock.setTimer(Math.min(delayMs, 100), run),
    };
    const called: number[] = [];
    const deadlines = createDeadlines<Item>(early, () => called.push(clock.monotonicMs()));
    const at = clock.monotonicMs() + 1_050;
    deadlines.set(item(0), at);
    clock.advance(2_000);
    expect(called).toEqual([at]);
  });

  test("an item that is never due arms nothing", () => {
    const clock = createFakeClock();
    const deadlines = createDeadlines<Item>(clock, () => expect.unreachable());
    deadlines.set(item(0), Number.POSITIVE_INFINITY);
    expect([deadlines.size, clock.pending]).toEqual([1, 0]);
  });

  test("any sequence of set, remove and time gives what a sorted list gives", () => {
    const action = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ set: fc.nat(19), after: fc.integer({ min: -5, max: 40 }) }),
      },
      { weight: 2, arbitrary: fc.record({ remove: fc.nat(19) }) },
      { weight: 3, arbitrary: fc.record({ advance: fc.nat(30) }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
        const run = new Run();
        for (const step of actions) {
          if ("set" in step) run.set(step.set, step.after);
          else if ("remove" in step) run.remove(step.remove);
          else run.advance(step.advance);
          run.check();
        }
      }),
      { numRuns: 500 },
    );
  });
});

type Call = { readonly name: number; readonly at: number };

/** Deadlines beside the plainest model of them. */
class Run {
  readonly #clock = createFakeClock();
  readonly #called: Call[] = [];
  readonly #expected: Call[] = [];
  readonly #model = new Map<number, number>();
  readonly #items = Array.from({ length: 20 }, (_, name) => item(name));
  readonly #deadlines = createDeadlines<Item>(this.#clock, ({ name }) => {
    this.#called.push({ name, at: this.#clock.monotonicMs() });
  });

  set(name: number, afterMs: number): void {
    const at = this.#clock.monotonicMs() + afterMs;
    this.#deadlines.set(this.#item(name), at);
    this.#model.set(name, at);
  }

  remove(name: number): void {
    this.#deadlines.remove(this.#item(name));
    this.#model.delete(name);
  }

  advance(ms: number): void {
    const now = this.#clock.monotonicMs();
    const due = [...this.#model].filter(([, at]) => at <= now + ms);
    for (const [name, at] of due) {
      this.#expected.push({ name, at: Math.max(now, at) });
      this.#model.delete(name);
    }
    this.#clock.advance(ms);
  }

  check(): void {
    expect(this.#deadlines.size).toBe(this.#model.size);
    for (const { name, heapIndex } of this.#items)
      expect(heapIndex >= 0).toBe(this.#model.has(name));
    const times = this.#called.map(({ at }) => at);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const byTimeAndName = (a: Call, b: Call) => a.at - b.at || a.name - b.name;
    expect(this.#called.toSorted(byTimeAndName)).toEqual(this.#expected.toSorted(byTimeAndName));
  }

  #item(name: number): Item {
    return this.#items[name] ?? item(name);
  }
}

describe("systemClock", () => {
  test("a delay of a year does not fire at once, as a bare setTimeout would", async () => {
    let fired = false;
    const timer = systemClock.setTimer(365 * 86_400_000, () => {
      fired = true;
    });
    await new Promise<void>((resolve) => systemClock.setTimer(5, resolve));
    expect(fired).toBe(false);
    timer.cancel();
  });

  test("delays that are not numbers a timer can hold are let in", async () => {
    const fired: string[] = [];
    systemClock.setTimer(Number.POSITIVE_INFINITY, () => fired.push("never")).cancel();
    const late = systemClock.setTimer(Number.POSITIVE_INFINITY, () => fired.push("too early"));
    await new Promise<void>((resolve) => systemClock.setTimer(-1_000, resolve));
    late.cancel();
    expect(fired).toEqual([]);
  });

  test("monotonic time never goes back, and cancelled timers never run", async () => {
    const before = systemClock.monotonicMs();
    systemClock.setTimer(0, () => expect.unreachable()).cancel();
    await new Promise<void>((resolve) => systemClock.setTimer(0, resolve));
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before);
  });
});
