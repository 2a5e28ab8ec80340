import type { Guard } from "./guard.ts";

const SERVER = "packages/server/src";

/** Clocks that jump, and input that keeps the loop busy. */
export const TIME_GUARDS: readonly Guard[] = [
  {
    faults: [13],
    breaks: "parked sessions end by the wall clock",
    file: `${SERVER}/session/session-store.ts`,
    find: "const now = clock.monotonicMs();",
    replace: "const now = clock.nowMs();",
    test: `${SERVER}/session/session-store.test.ts`,
    named: "faults 13: the wall clock decides nothing",
  },
  {
    faults: [14],
    breaks: "commands of a connection that ends are still worked on",
    file: `${SERVER}/connection/connection.ts`,
    find: "if (this.#closing || this.outbox.overflown) return;",
    replace: "if (this.#closing) return;",
    test: `${SERVER}/connection/connection.test.ts`,
    named: "faults 14:",
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
];
