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
    find: "if (paused !== undefined && atMs !== AT_ONCE && !hasWaited(record, nowMs)) return undefined;",
    replace: "",
    test: STORE_TEST,
    named: "what has failed waits",
  },
  {
    faults: [30],
    breaks: "who has nothing to do asks for every kind of work each time",
    file: `${JOBS}/store/store-jobs.ts`,
    find: "await this.#lookAll(seen && new Set(seen.map(({ kind }) => kind)));",
    replace: "await this.#lookAll(seen && undefined);",
    test: `${JOBS}/store/idle.test.ts`,
    named: "asks one question each time",
  },
  {
    faults: [13],
    breaks: "who waits after a failure waits an hour longer when the clock is set back by one",
    file: `${JOBS}/set-back.ts`,
    find: "return atMs - nowMs > waitMs + SKEW_MS;",
    replace: "return atMs - nowMs > waitMs + 1e15;",
    test: STORE_TEST,
    named: "faults 13: who waits after a failure",
  },
  {
    faults: [13],
    breaks: "a clock that is set back is noticed by who is woken alone",
    file: `${JOBS}/set-back.ts`,
    find: "return before === undefined || aheadMs < before - SKEW_MS;",
    replace: "return before === undefined;",
    test: STORE_TEST,
    named: "faults 13: who waits after a failure",
  },
  {
    faults: [13],
    breaks: "a wake leaves waiting who has waited enough, by a clock that was set back",
    file: `${JOBS}/store/states.ts`,
    find: "atMs !== AT_ONCE && !hasWaited(record, nowMs)",
    replace: "atMs !== AT_ONCE",
    test: `${JOBS}/store/states.test.ts`,
    named: "faults 13",
  },
  {
    faults: [13],
    breaks: "an endpoint that failed waits an hour longer when the clock is set back by one",
    file: "packages/server/src/webhooks/delivery.ts",
    find: "since > lastError.at || lastError.at > now + SKEW_MS",
    replace: "since > lastError.at",
    test: "packages/server/src/webhooks/delivery.test.ts",
    named: "faults 13",
  },
];
