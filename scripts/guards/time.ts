import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";

/** Clocks that jump, and input that keeps the loop busy. */
export const TIME_GUARDS: readonly Guard[] = [
  {
    faults: [11],
    breaks: "a log that nobody reads is kept",
    file: "packages/cli/src/log-output.ts",
    find: "if (stuck && waitingBytes + line.length > WAITING_MAX_BYTES) dropped++;",
    replace: "if (stuck && waitingBytes < 0) dropped++;",
    test: "packages/cli/test/faults-11.test.ts",
    named: "whose reader never reads: two hundred megabytes",
  },
  {
    faults: [13],
    breaks: "durations are measured by the wall clock",
    file: `${SERVER}/time/clock.ts`,
    find: "monotonicMs: () => performance.now(),",
    replace: "monotonicMs: () => Date.now(),",
    test: "packages/server/test/faults/13-clock.test.ts",
    named: "what has a lifetime keeps it",
  },
  {
    faults: [13],
    breaks: "parked sessions end by the wall clock",
    file: `${SERVER}/session/session-store.ts`,
    find: "table.forgetExpired(clock.monotonicMs());",
    replace: "table.forgetExpired(clock.nowMs());",
    test: `${SERVER}/session/session-store.test.ts`,
    named: "faults 13: the wall clock decides nothing",
  },
  {
    faults: [14],
    breaks: "commands of a connection that ends are still worked on",
    file: `${SERVER}/connection/connection.ts`,
    find: "if (this.#closing || this.outbox.overflown) return;",
    replace: "if (this.#closing) return;",
    test: `${SERVER}/connection/slow-consumers.test.ts`,
    named: "faults 14:",
  },
  {
    faults: [14],
    breaks: "nesting is not bounded: laborious frames break the gateway",
    file: "packages/protocol/src/nesting.ts",
    find: "if (depth > NESTING_MAX) return true;",
    replace: "if (depth > 1e9) return true;",
    test: "packages/server/test/faults/14-loop.test.ts",
    named: "the largest and most laborious frames",
  },
  {
    faults: [14, 25],
    breaks: "nesting is not bounded",
    file: "packages/protocol/src/nesting.ts",
    find: "if (depth > NESTING_MAX) return true;",
    replace: "if (depth > 1e9) return true;",
    test: "packages/server/test/frames.test.ts",
    named: "[FR5] 128 levels are read",
  },
  {
    faults: [13],
    breaks: "who slept takes the others for dead",
    file: "packages/server/src/cluster/stillness.ts",
    find: "Math.min(since, this.#stepMaxMs)",
    replace: "since",
    test: "packages/server/src/cluster/stillness.test.ts",
    named: "while the observer itself slept",
  },
];
