import type { Guard } from "./guard.ts";

const JOBS = "packages/server/src/jobs";
const STORE_TEST = `${JOBS}/store/store-jobs.test.ts`;

/** Work that is asked for is done, by one at a time, whoever dies. */
export const JOB_GUARDS: readonly Guard[] = [
  {
    faults: [1],
    breaks: "nobody takes what a dead worker held",
    file: `${JOBS}/store/watch.ts`,
    find: "if (isStill && askedMs - now.sinceMs >= this.#leaseMs) await this.#bury(id, beat);",
    replace: "if (isStill && askedMs < 0) await this.#bury(id, beat);",
    test: STORE_TEST,
    named: "what a killed process was doing",
  },
  {
    faults: [21],
    breaks: "a wake while the key is worked on is lost",
    file: `${JOBS}/store/turn.ts`,
    find: "const where = { by: { is: held.by }, again: { is: record.again } };",
    replace: "const where = { by: { is: held.by } };",
    test: STORE_TEST,
    named: "woken while it is worked on",
  },
  {
    faults: [21],
    breaks: "two processes hold a key at the same time",
    file: `${JOBS}/store/turn.ts`,
    find: "const where = { ready: { is: record.ready } };",
    replace: "const where = {};",
    test: STORE_TEST,
    named: "whatever is woken when",
  },
  {
    faults: [30],
    breaks: "waking shortens the wait after a failure",
    file: `${JOBS}/store/states.ts`,
    find: "if (paused !== undefined && atMs !== AT_ONCE) return undefined;",
    replace: "",
    test: STORE_TEST,
    named: "what has failed waits",
  },
];
