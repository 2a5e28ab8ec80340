import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import type { Job, JobKind, Jobs } from "../jobs/jobs.ts";
import { createCounters } from "../observe/counters.ts";
import { createLog } from "../observe/log.ts";
import type { Records } from "../store/store.ts";
import type { Step } from "./follower.ts";
import { type ChangeRecord, REMOVED, type TenantRecord } from "./records.ts";
import { startRemoval } from "./removal.ts";
import type { TenantId } from "./tenant.ts";
import { TenantDirectory } from "./tenant-directory.ts";
import { NO_QUOTAS } from "./tenants.ts";

type Entry = Pick<ChangeRecord, "about" | "action">;
type Condition = { readonly is: unknown };

/** Tenants in memory, as far as a removal asks for them. */
function tenantsIn(all: Map<string, TenantRecord>): Records<TenantRecord> {
  const holds = (record: TenantRecord | undefined, where: Record<string, Condition>) =>
    record !== undefined &&
    Object.entries(where).every(([name, { is }]) => Reflect.get(record, name) === is);
  const found = {
    get: async (_: TenantId, { id }: { id: string }) => all.get(id),
    update: async (_: TenantId, { id }: { id: string }, change: object, where = {}) => {
      const former = all.get(id);
      if (!holds(former, where)) return undefined;
      const record = { ...former, ...change } as TenantRecord;
      all.set(id, record);
      return record;
    },
    remove: async (_: TenantId, { id }: { id: string }, where = {}) =>
      holds(all.get(id), where) && all.delete(id),
  };
  return found as unknown as Records<TenantRecord>;
}

function world({ deletedMax = 10 } = {}) {
  const all = new Map<string, TenantRecord>();
  const entries: Entry[] = [];
  const clock = createFakeClock();
  const counters = createCounters();
  const configured = new Set<TenantId>();
  const directory = new TenantDirectory({
    open: true,
    configured,
    quotas: NO_QUOTAS,
    isKept: true,
  });
  const step: Step = {
    applied: (_kind, _owner, id, record) => directory.apply(id, record as TenantRecord | undefined),
    log: async (entry) => void entries.push(entry),
  };
  /** What is done to the records of a tenant, collection by collection. */
  const pieces: (() => number)[] = [];
  let kind: JobKind | undefined;
  const jobs = {
    define(defined: JobKind) {
      kind = defined;
    },
    wake: async () => {},
  };
  startRemoval({
    ...{ clock, counters, directory, deletedMax, log: createLog("silent", () => {}) },
    ...{ jobs: jobs as unknown as Jobs, tenants: tenantsIn(all) },
    follower: { change: (run) => run(step), loaded: async () => {} },
    audit: { list: async () => entries.slice(-1) as ChangeRecord[] },
    collections: [0, 1].map((place) => ({ removeSome: async () => pieces[place]?.() ?? 0 })),
  });
  const put = (record: TenantRecord) => {
    all.set(record.id, record);
    directory.apply(record.id, record);
  };
  const run = (key: string) => {
    const { signal } = new AbortController();
    const job: Job = { tenant: "*" as TenantId, key, failures: 0, signal, lost: signal };
    return kind?.run(job);
  };
  return { all, entries, clock, counters, directory, pieces, put, run };
}

function deleted(id: string, change: Partial<TenantRecord> = {}): TenantRecord {
  const moments = { createdAt: 1, changedAt: 1, revision: 2 };
  return { id, status: "deleted", quotas: {}, name: "x", freeAt: 5, ...moments, ...change };
}

test("[TN10] when nothing is left of a tenant its record is a tombstone, and the audit says so", async () => {
  const { all, entries, directory, put, run } = world();
  put(deleted("acme"));
  expect(await run("acme")).toBeUndefined();
  expect(all.get("acme")).toMatchObject({ status: REMOVED, quotas: {}, revision: 3 });
  expect(all.get("acme")?.name).toBeUndefined();
  expect(directory.of("acme" as TenantId).status).toBe("deleted");
  expect(entries.map(({ action }) => action)).toEqual(["tenant.removed"]);
  // Woken once more it has nothing to do.
  expect(await run("acme")).toBeUndefined();
  expect(entries).toHaveLength(1);
});

test("[TN10] faults 1: who died between the tombstone and the audit has it told by the next one", async () => {
  const { entries, put, run } = world();
  put(deleted("acme", { status: REMOVED }));
  entries.push({ about: "acme", action: "tenant.deleted" });
  await run("acme");
  await run("acme");
  expect(entries.map(({ action }) => action)).toEqual(["tenant.deleted", "tenant.removed"]);
});

test("[TN10] P2: a process that stood still while the tenant was made anew takes nothing from the new one", async () => {
  const { all, entries, pieces, put, run } = world();
  put(deleted("acme"));
  let taken = 0;
  pieces[0] = () => {
    // Others have removed all of it meanwhile, and somebody has created it.
    all.set("acme", deleted("acme", { status: "active", createdAt: 9, revision: 4 }));
    return 0;
  };
  pieces[1] = () => ++taken;
  await run("acme");
  await run("acme");
  expect([taken, all.get("acme")?.status, entries]).toEqual([0, "active", []]);
});

test("[TN10] beyond their bound the oldest tombstones are forgotten, told, and counted", async () => {
  const { all, entries, clock, counters, directory, put, run } = world({ deletedMax: 2 });
  for (const id of ["a", "b", "c"]) {
    put(deleted(id));
    await run(id);
    clock.advance(1_000);
  }
  expect([...all.keys()]).toEqual(["b", "c"]);
  expect(counters.tenantsForgotten).toBe(1);
  expect(entries.at(-1)).toMatchObject({ about: "a", action: "tenant.forgotten" });
  expect(directory.of("a" as TenantId).status).toBe("active");
});
