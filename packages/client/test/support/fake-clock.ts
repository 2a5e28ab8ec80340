import type { Clock, Timer } from "../../src/environment.ts";

type Entry = { readonly dueMs: number; readonly run: () => void };

/** Lets everything that waits for promises run until nothing more does. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Time that stands still until it is moved. */
export class FakeClock implements Clock {
  #nowMs = 1_700_000_000_000;
  #monotonicMs = 0;
  readonly #timers = new Set<Entry>();

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, run: () => void): Timer {
    const entry = { dueMs: this.#monotonicMs + Math.max(0, delayMs), run };
    this.#timers.add(entry);
    return { cancel: () => this.#timers.delete(entry) };
  }

  get pending(): number {
    return this.#timers.size;
  }

  /** When the next timer fires, milliseconds from now; undefined when there is none. */
  get nextMs(): number | undefined {
    const entry = this.#earliest();
    return entry === undefined ? undefined : Math.max(0, entry.dueMs - this.#monotonicMs);
  }

  /** Runs the timers of the next `byMs`, in order, with all promises in between. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#monotonicMs + byMs;
    await settled();
    for (;;) {
      const entry = this.#earliest();
      if (entry === undefined || entry.dueMs > untilMs) break;
      this.#timers.delete(entry);
      this.#move(Math.max(0, entry.dueMs - this.#monotonicMs));
      entry.run();
      await settled();
    }
    this.#move(untilMs - this.#monotonicMs);
  }

  /** The machine sleeps: the wall clock goes on, timers and monotonic time do not. */
  sleep(byMs: number): void {
    this.#nowMs += byMs;
  }

  #move(byMs: number): void {
    this.#nowMs += byMs;
    this.#monotonicMs += byMs;
  }

  #earliest(): Entry | undefined {
    let earliest: Entry | undefined;
    for (const entry of this.#timers) {
      if (earliest === undefined || entry.dueMs < earliest.dueMs) earliest = entry;
    }
    return earliest;
  }
}
