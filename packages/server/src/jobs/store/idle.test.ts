import { expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { createCounters } from "../../observe/counters.ts";
import { createLog } from "../../observe/log.ts";
import { createRandomIds } from "../../random/random.ts";
import { freshSqlite } from "../../store/sqlite/test/fresh-sqlite.ts";
import type { Records, Store } from "../../store/store.ts";
import { systemClock } from "../../time/clock.ts";
import { ACME, kind, TEST_TIMES } from "../test/bench.ts";
import { JOBS_PLAN } from "./records.ts";
import { StoreJobs } from "./store-jobs.ts";

const KINDS = 12;
const GLANCES = 20;

/** By index: how often records were listed. */
function counting(store: Store, asked: Map<string, number>): Pick<Store, "records"> {
  const note = (index: string) => asked.set(index, (asked.get(index) ?? 0) + 1);
  return {
    records: (collection) => {
      const records = store.records(collection);
      return new Proxy(records, {
        get(target, name) {
          const method: unknown = Reflect.get(target, name);
          if (typeof method !== "function") return method;
          return (...args: unknown[]) => {
            if (name === "list") note((args as Parameters<Records<object>["list"]>)[1].index);
            return Reflect.apply(method, target, args);
          };
        },
      });
    },
  };
}

test("P3: who has nothing to do asks one question each time, however many kinds of work there are, and finds what others have asked for", async () => {
  await using database = await freshSqlite();
  const store = database.connect();
  await store.open([JOBS_PLAN]);
  const asked = new Map<string, number>();
  const of = (index: string) => asked.get(index) ?? 0;
  const options = {
    ...{ ...TEST_TIMES, leaseMs: 60_000, queues: ["webhooks"] as const },
    concurrency: { webhooks: 20, push: 20, history: 20 },
  };
  const open = (records: Pick<Store, "records">, more = {}) =>
    new StoreJobs(
      {
        ...{ clock: systemClock, random: createRandomIds(), counters: createCounters() },
        ...{ log: createLog("error", () => {}), store: records },
      },
      { ...options, ...more },
    );
  const seen: string[] = [];
  const kinds = Array.from({ length: KINDS }, (_, n) =>
    kind(({ key }) => void seen.push(key), { name: `test.${n}` }),
  );
  const jobs = open(counting(store, asked));
  const others = open(store, { queues: [] });
  for (const each of kinds) for (const one of [jobs, others]) one.define(each);
  jobs.start();
  await eventually("it has looked at all that there is", () => of("ready") >= KINDS);
  const before = of("ready") + of("later");
  const glances = of("due") + GLANCES;
  await eventually("it has looked again and again", () => of("due") >= glances);
  expect(of("ready") + of("later") - before).toBeLessThanOrEqual(4 * KINDS);
  const [last] = kinds.slice(-1);
  if (last !== undefined) await others.wake(last, ACME, "of others");
  await eventually("it is found", () => seen.length === 1);
  await jobs.close();
  await others.close();
});
