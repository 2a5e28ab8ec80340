/**
 * The streams of the memory broker beside the plainest model of them. fast-check prints the seed of a failure; run it
 * again with `fc.assert(…, { seed, path })`.
 */
import { expect, test } from "bun:test";
import { publicationJson } from "@aldis/protocol";
import { createFakeClock, createSeededRandom } from "@aldis/testkit";
import fc from "fast-check";
import { BROKER_LIMITS, draft, key, offsetsOf, wire } from "./broker.contract.ts";
import type { HistoryOptions } from "./broker.ts";
import { MemoryBroker } from "./memory-broker.ts";

const LOBBY = key("chat:lobby");
const LATE_MS = 50;

type Kept = { readonly offset: number; readonly storedAtMs: number; readonly bytes: number };

/** A stream, and everything that was ever published in it. */
class Run {
  readonly #clock = createFakeClock();
  readonly #broker = new MemoryBroker(
    { clock: this.#clock, random: createSeededRandom(1), deliver: () => {} },
    BROKER_LIMITS,
  );
  readonly #epoch = this.#broker.top(LOBBY).epoch;
  #top = 0;
  #kept: Kept[] = [];
  /** The options in force. What is still held when they change goes by the new ones from then on. */
  #history: HistoryOptions = { size: 0, ttlMs: 0, maxBytes: 0 };
  verdicts = { whole: 0, lost: 0 };

  publish(length: number, history: HistoryOptions): void {
    const what = draft({ dataJson: `"${"x".repeat(length)}"` });
    const { offset } = this.#broker.publish(LOBBY, what, history);
    expect(offset).toBe(++this.#top);
    const json = publicationJson({ ...what, offset, at: this.#clock.nowMs() });
    // A character is counted as two bytes, the most that it takes in memory.
    const storedAtMs = this.#clock.monotonicMs();
    this.#kept.push({ offset, storedAtMs, bytes: 2 * json.length });
    this.#history = history;
    this.#expire();
    const { publications } = this.#broker.history(LOBBY, query({ limit: 500 }), history);
    expect(offsetsOf(publications)).toEqual(this.#kept.map((kept) => kept.offset));
  }

  advance(ms: number): void {
    this.#clock.advance(ms);
  }

  /** The options change, without a publish (HT2). */
  change(history: HistoryOptions): void {
    this.#history = history;
    this.page(500, undefined, undefined);
  }

  setWallClock(hours: number): void {
    this.#clock.setWallClock(this.#clock.nowMs() + hours * 3_600_000);
  }

  /** Recovers from `back` before the top; negative: from beyond it. */
  recover(back: number, foreign: boolean): void {
    this.#expire();
    const offset = Math.max(0, this.#top - back);
    const epoch = foreign ? "foreign" : this.#epoch;
    const recovery = this.#broker.recover(LOBBY, { offset, epoch }, this.#history);
    expect(recovery.top).toEqual({ offset: this.#top, epoch: this.#epoch });
    const missed = Array.from(
      { length: Math.max(0, this.#top - offset) },
      (_, i) => offset + i + 1,
    );
    const held = new Set(this.#kept.map((kept) => kept.offset));
    const whole = !foreign && offset <= this.#top && missed.every((one) => held.has(one));
    expect(recovery.recovered).toBe(whole);
    expect(offsetsOf(recovery.publications)).toEqual(whole ? missed : []);
    for (const publication of recovery.publications)
      expect(wire(publication).offset).toBe(publication.offset);
    this.verdicts[whole ? "whole" : "lost"]++;
  }

  page(limit: number, before: number | undefined, after: number | undefined): void {
    this.#expire();
    const page = this.#broker.history(LOBBY, { limit, before, after }, this.#history);
    const matching = this.#kept
      .map((kept) => kept.offset)
      .filter((offset) => offset < (before ?? Number.POSITIVE_INFINITY) && offset > (after ?? -1));
    const expected = after === undefined ? matching.slice(-limit) : matching.slice(0, limit);
    expect(offsetsOf(page.publications)).toEqual(expected);
    expect(page.more).toBe(matching.length > expected.length);
  }

  #expire(): void {
    const now = this.#clock.monotonicMs();
    const { size, maxBytes } = this.#history;
    const bytes = () => this.#kept.reduce((sum, kept) => sum + kept.bytes, 0);
    while (this.#kept.length > size || bytes() > maxBytes) this.#kept.shift();
    this.#kept = this.#kept.filter((kept) => now - kept.storedAtMs < this.#history.ttlMs);
  }
}

function query(parts: { limit: number }) {
  return { before: undefined, after: undefined, ...parts };
}

const historyOptions = fc.record({
  size: fc.constantFrom(0, 1, 3, 10, 40, 100),
  ttlMs: fc.constantFrom(0, 1, LATE_MS, 1_000),
  maxBytes: fc.constantFrom(0, 200, 2_000, 100_000),
});
const offset = fc.option(fc.nat(60), { nil: undefined });
const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      publish: fc.nat(300),
      history: historyOptions,
      count: fc.integer({ min: 1, max: 50 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ change: historyOptions }) },
  { weight: 3, arbitrary: fc.record({ advance: fc.nat(LATE_MS * 2) }) },
  { weight: 1, arbitrary: fc.record({ wall: fc.constantFrom(-1, 1) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      back: fc.integer({ min: -2, max: 50 }),
      foreign: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ limit: fc.integer({ min: 1, max: 20 }), before: offset, after: offset }),
  },
);

function step(run: Run, one: typeof action extends fc.Arbitrary<infer T> ? T : never): void {
  if ("publish" in one) {
    for (let n = 0; n < one.count; n++) run.publish(one.publish, one.history);
  } else if ("change" in one) run.change(one.change);
  else if ("advance" in one) run.advance(one.advance);
  else if ("wall" in one) run.setWallClock(one.wall);
  else if ("back" in one) run.recover(one.back, one.foreign);
  else run.page(one.limit, one.before, one.after);
}

test("P1: whatever is published, trimmed and recovered, in whatever order: no gap, nothing twice, an honest answer", () => {
  const verdicts = { whole: 0, lost: 0 };
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const run = new Run();
      for (const one of actions) step(run, one);
      verdicts.whole += run.verdicts.whole;
      verdicts.lost += run.verdicts.lost;
    }),
    { numRuns: 300 },
  );
  expect(verdicts.whole).toBeGreaterThan(50);
  expect(verdicts.lost).toBeGreaterThan(50);
});
