import type { TenantId } from "../tenant/tenant.ts";
import type { Timer } from "../time/clock.ts";
import { usageDays } from "../usage/collection.ts";
import { compactUsage } from "../usage/compaction.ts";
import { type DayUsage, readUsage } from "../usage/read-usage.ts";
import { dayOf } from "../usage/usage.ts";
import { UsageLedger } from "../usage/usage-ledger.ts";
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

/** Counts what tenants use, and keeps it where there is a store. */
export function openUsage(shared: Shared): UsagePart {
  const { accounts, store, clock, counters, log, random, config } = shared;
  const { usage, accountsMax } = config.tenants;
  const records = store?.records(usageDays);
  const ledger = new UsageLedger(
    { accounts, records, clock, counters, log, life: random.id(9) },
    { writeMs: usage.writeMs, accountsMax },
  );
  ledger.start();
  let upkeep: Timer | undefined;
  const planUpkeep = () => {
    if (records !== undefined) upkeep = clock.setTimer(UPKEEP_MS, () => void keepUp(records));
  };
  async function keepUp(of: NonNullable<typeof records>) {
    try {
      await compactUsage(of, { today: dayOf(clock.nowMs()), keepDays: usage.keepDays });
    } catch (error) {
      log.warn({ err: error }, "usage of past days could not be put together");
    }
    planUpkeep();
  }
  planUpkeep();
  return {
    read: records && ((tenant, range) => readUsage(records, tenant, range, ledger.today(tenant))),
    async close() {
      upkeep?.cancel();
      upkeep = undefined;
      await ledger.close();
    },
  };
}
