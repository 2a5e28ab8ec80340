import type { Clock, Timer } from "../../time/clock.ts";

/** Moved by hand; timers run inside `advance`, in the order in which they are due. */
export type FakeClock = Clock & {
  advance(ms: number): void;
  /** Sets the wall clock alone, as somebody setting the host's clock does. */
  setWall(nowMs: number): void;
  readonly timers: number;
};

export function createFakeClock(nowMs = 1_800_000_000_000): FakeClock {
  let wallMs = nowMs;
  let monotonicMs = 5_000;
  const pending = new Set<{ dueAtMs: number; run: () => void }>();
  return {
    nowMs: () => wallMs,
    monotonicMs: () => monotonicMs,
    setTimer(delayMs, run): Timer {
      const timer = { dueAtMs: monotonicMs + delayMs, run };
      pending.add(timer);
      return { cancel: () => void pending.delete(timer) };
    },
    advance(ms) {
      wallMs += ms;
      monotonicMs += ms;
      const due = [...pending].filter((timer) => timer.dueAtMs <= monotonicMs);
      for (const timer of due.sort((a, b) => a.dueAtMs - b.dueAtMs)) {
        if (pending.delete(timer)) timer.run();
      }
    },
    setWall(next) {
      wallMs = next;
    },
    get timers() {
      return pending.size;
    },
  };
}
