import { expect, test } from "bun:test";
import { createFakeClock, eventually } from "@aldis/testkit";
import type { ClusterNode } from "../cluster/node-registry.ts";
import { configSchema } from "../config/schema.ts";
import type { JobQueue } from "../jobs/jobs.ts";
import { JOBS_PLAN } from "../jobs/store/records.ts";
import { ACME, kind } from "../jobs/test/bench.ts";
import { createCounters } from "../observe/counters.ts";
import { createLog } from "../observe/log.ts";
import { createRandomIds } from "../random/random.ts";
import type { MeteredStore } from "../store/metered-store.ts";
import { freshSqlite } from "../store/sqlite/test/fresh-sqlite.ts";
import { systemClock } from "../time/clock.ts";
import { openJobs } from "./jobs-part.ts";

const WAITS = "background work waits: no process works this queue";
const UNUSED = "no feature that is on here uses this queue";

/** A process that works `queues`, beside others that work `others`. */
async function openPart(queues: JobQueue[], others: JobQueue[] = [], isWorker = false) {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(await freshSqlite());
  const store = database.connect();
  await store.open([JOBS_PLAN]);
  const clock = createFakeClock(systemClock.nowMs());
  const lines: string[] = [];
  const jobs = openJobs(
    {
      ...{ clock, random: createRandomIds(), counters: createCounters(), isWorker },
      log: createLog("info", (line) => void lines.push(line)),
      store: store as unknown as MeteredStore,
      shards: undefined,
      registry: { listen() {}, nodes: () => [{ queues: others } as unknown as ClusterNode] },
    },
    configSchema.parse({ jobs: { queues } }),
  );
  const work = kind(() => undefined);
  jobs.define(work);
  jobs.start();
  opened.defer(() => jobs.close());
  const all = opened.move();
  const said = (what: string) => lines.filter((line) => line.includes(what)).length;
  return { clock, jobs, work, said, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

test("P5: work that has waited for a minute, as no process works its queue, is told in the log again and again", async () => {
  await using part = await openPart([]);
  await part.jobs.wake(part.work, ACME, "one");
  await eventually("it is told twice", () => {
    part.clock.advance(5_000);
    return part.said(WAITS) >= 2;
  });
});

test("P5: nothing of that where somebody works the queue, however long it waits", async () => {
  await using part = await openPart([], ["webhooks"]);
  await part.jobs.wake(part.work, ACME, "one");
  await eventually("it has waited for long", () => {
    part.clock.advance(5_000);
    return (part.jobs.queues[0]?.lagMs ?? 0) > 300_000;
  });
  expect(part.said(WAITS)).toBe(0);
});

test("P5: a worker whose queue nothing uses says so; a gateway that works all that there is does not", async () => {
  await using worker = await openPart(["webhooks", "push"], [], true);
  expect([worker.said(UNUSED), worker.said('"queue":"push"')]).toEqual([1, 1]);
  await using gateway = await openPart(["webhooks", "push"]);
  expect(gateway.said(UNUSED)).toBe(0);
});
