import { expect, test } from "bun:test";
import { createFakeClock, eventually } from "@aldis/testkit";
import { createCounters } from "../../observe/counters.ts";
import { createLog } from "../../observe/log.ts";
import { createRandomIds } from "../../random/random.ts";
import { freshSqlite } from "../../store/sqlite/test/fresh-sqlite.ts";
import type { Store } from "../../store/store.ts";
import { StoreUnavailable } from "../../store/store-unavailable.ts";
import { systemClock } from "../../time/clock.ts";
import { ACME, heldKind, TEST_TIMES } from "../test/bench.ts";
import { JOBS_PLAN } from "./records.ts";
import { StoreJobs } from "./store-jobs.ts";

/** Answers as long as it is not away. */
function leaving(store: Store, state: { isAway: boolean }): Pick<Store, "records"> {
  return {
    records: (collection) =>
      new Proxy(store.records(collection), {
        get(target, name) {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== "function") return method;
          return async (...args: unknown[]) => {
            if (state.isAway) throw new StoreUnavailable("away");
            return await Reflect.apply(method, target, args);
          };
        },
      }),
  };
}

/** A clock that stands still shows each wait that does not end by itself. */
async function openOne() {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await freshSqlite());
  const store = database.connect();
  await store.open([JOBS_PLAN]);
  const state = { isAway: false };
  const jobs = new StoreJobs(
    {
      ...{ clock: createFakeClock(systemClock.nowMs()), random: createRandomIds() },
      ...{ counters: createCounters(), log: createLog("error", () => {}) },
      store: leaving(store, state),
    },
    {
      ...{ ...TEST_TIMES, queues: ["webhooks"] as const },
      concurrency: { webhooks: 20, push: 20, history: 20 },
    },
  );
  const { kind: work, turns } = heldKind();
  jobs.define(work);
  jobs.start();
  await jobs.wake(work, ACME, "one");
  await eventually("it is worked on", () => turns.length === 1);
  const all = opened.move();
  const [turn] = turns;
  if (turn === undefined) throw new Error("no turn");
  return { jobs, turn, state, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

test("P6: who stops while the store is away does not wait to put back what ended before", async () => {
  await using one = await openOne();
  one.state.isAway = true;
  one.turn.end();
  await eventually("it tries", () => one.jobs.queues[0]?.running === 1);
  await one.jobs.close();
});

test("P6: nor what ends as it is told to stop", async () => {
  await using one = await openOne();
  one.state.isAway = true;
  const closed = one.jobs.close();
  expect(one.turn.job.signal.aborted).toBe(true);
  one.turn.end();
  await closed;
});
