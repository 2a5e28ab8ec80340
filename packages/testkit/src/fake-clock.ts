import type { Clock, Timer } from "@aldis/server";

/** A clock that stands still until it is moved by hand. */
export type FakeClock = Clock & {
  /** Moves both times on and runs what has come due, in order of its time. */
  advance(ms: number): void;
  /** Sets the wall clock alone, as an operator or NTP would. */
  setWallClock(unixMs: number): void;
  /** How many timers are waiting. */
  readonly pending: number;
};

type Waiting = { readonly atMs: number; readonly order: number; readonly run: () => void };

export function createFakeClock(startMs = 1_800_000_000_000): FakeClock {
  const waiting = new Set<Waiting>();
  let monotonicMs = 1_000;
  let wallOffsetMs = startMs - monotonicMs;
  let order = 0;

  function nextDue(untilMs: number): Waiting | undefined {
    let next: Waiting | undefined;
    for (const timer of waiting) {
      if (timer.atMs > untilMs) continue;
      const sooner = next === undefined || timer.atMs < next.atMs;
      if (sooner || (timer.atMs === next?.atMs && timer.order < next.order)) next = timer;
    }
    return next;
  }

  return {
    nowMs: () => monotonicMs + wallOffsetMs,
    monotonicMs: () => monotonicMs,
    setTimer(delayMs, run): Timer {
      const timer = { atMs: monotonicMs + Math.max(0, delayMs), order: order++, run };
      waiting.add(timer);
      return { cancel: () => waiting.delete(timer) };
    },
    advance(ms) {
      const untilMs = monotonicMs + ms;
      for (let next = nextDue(untilMs); next !== undefined; next = nextDue(untilMs)) {
        waiting.delete(next);
        monotonicMs = Math.max(monotonicMs, next.atMs);
        next.run();
      }
      monotonicMs = untilMs;
    },
    setWallClock(unixMs) {
      wallOffsetMs = unixMs - monotonicMs;
    },
    get pending() {
      return waiting.size;
    },
  };
}
