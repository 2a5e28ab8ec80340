import type { JobKind } from "../jobs/jobs.ts";
import type { Keeping } from "../store/metered-store.ts";
import type { Records } from "../store/store.ts";
import { SYSTEM_TENANT, type TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { usageDays } from "../usage/collection.ts";
import { compactUsage } from "../usage/compaction.ts";
import { type DayUsage, readUsage } from "../usage/read-usage.ts";
import { sizeOfRecord } from "../usage/record-size.ts";
import { type StoreSizeRow, StoreSizes, storeSizes } from "../usage/store-sizes.ts";
import { dayOf } from "../usage/usage.ts";
import { UsageLedger } from "../usage/usage-ledger.ts";
import { countedAs } from "./features.ts";
import type { Shared } from "./shared-parts.ts";

export type UsagePart = {
  /** What a tenant used, day by day (UTC); undefined: nothing is kept here. Rejects with `Unavailable`. */
  readonly read:
    | ((
        tenant: TenantId,
        range: { readonly from: string; readonly to: string },
      ) => Promise<DayUsage[]>)
    | undefined;
  close(): Promise<void>;
};

const UPKEEP_MS = 3_600_000;
/** Between two pages of a walk through all records: others have the store meanwhile. */
const PAGE_PAUSE_MS = 20;

/** Counts what tenants use, and keeps it where there is a store. To be called before jobs are started. */
export function openUsage(shared: Shared): UsagePart {
  const { accounts, store, clock, counters, log, random, config, jobs } = shared;
  const { usage, accountsMax } = config.tenants;
  const records = store?.records(usageDays);
  const sizes = store && new StoreSizes({ accounts, records: store.records(storeSizes) });
  if (sizes !== undefined) shared.keeping.by = keepingOf(sizes);
  const ledger = new UsageLedger(
    { accounts, records, sizes, clock, counters, log, life: random.id(9) },
    { writeMs: usage.writeMs, accountsMax },
  );
  shared.tenancy.directory.onGone((tenant) => ledger.forget(tenant));
  ledger.start();
  for (const kind of [upkeepOf(shared), sizes && recountOf(shared, sizes)]) {
    if (kind !== undefined) jobs.define(kind);
  }
  return {
    read: records && ((tenant, range) => readUsage(records, tenant, range, ledger.today(tenant))),
    close: () => ledger.close(),
  };
}

function keepingOf(sizes: StoreSizes): Keeping {
  return {
    refusal: (tenant, collection) =>
      countedAs(collection) === "new-refused" ? sizes.refusal(tenant) : undefined,
    added(tenant, collection, record) {
      if (countedAs(collection) !== "not") sizes.added(tenant, sizeOfRecord(record));
    },
    removed(tenant, collection, records) {
      if (countedAs(collection) !== "not") sizes.removed(tenant, records);
    },
  };
}

/** Days that are over, an hour after the last time. */
function upkeepOf({ store, clock, config }: Shared): JobKind | undefined {
  if (store === undefined) return undefined;
  const records = store.records(usageDays);
  const { keepDays } = config.tenants.usage;
  return seldom(clock, store.records(storeSizes), {
    ...{ name: "usage-upkeep", everyMs: UPKEEP_MS },
    run: () => compactUsage(records, { today: dayOf(clock.nowMs()), keepDays }),
  });
}

function recountOf({ store, clock, config }: Shared, sizes: StoreSizes): JobKind | undefined {
  if (store === undefined) return undefined;
  const { recountMs } = config.tenants.usage;
  const pause = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    clock.setTimer(PAGE_PAUSE_MS, resolve);
    return promise;
  };
  return seldom(clock, store.records(storeSizes), {
    ...{ name: "store-recount", everyMs: recountMs },
    run() {
      const counted = [...store.all()].filter(([name]) => countedAs(name) !== "not");
      const collections = counted.map(([, records]) => records);
      return sizes.recount(collections, { sizeOf: sizeOfRecord, pause });
    },
  });
}

/** A job that is to be done once in a while by any process; when it was is kept, so that a restart is no reason to. */
function seldom(
  clock: Clock,
  marks: Records<StoreSizeRow>,
  of: { readonly name: string; readonly everyMs: number; run(): Promise<void> },
): JobKind {
  const key = { part: of.name };
  return {
    name: of.name,
    queue: "history",
    async run() {
      const nowMs = Math.floor(clock.nowMs());
      const doneAtMs = (await marks.get(SYSTEM_TENANT, key))?.revision ?? 0;
      // What was done later than now was done by a clock that was wrong.
      const isSeldom = doneAtMs <= nowMs && doneAtMs + of.everyMs > nowMs;
      if (isSeldom) return { atMs: doneAtMs + of.everyMs };
      await of.run();
      await marks.put(SYSTEM_TENANT, { ...key, records: 0, bytes: 0, revision: nowMs });
      return { atMs: nowMs + of.everyMs };
    },
    sweep: (wake) => wake(SYSTEM_TENANT, "all"),
  };
}
