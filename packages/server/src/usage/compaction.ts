/**
 * Puts the rows of a day that is over together into one, and removes days that are too old. May be done by several nodes at once, and may end anywhere: a row is in the total by
 * one write, which names it, and whoever reads passes it over from then on.
 */
import type { Records, Swept } from "../store/store.ts";
import type { TenantId } from "../tenant/tenant.ts";
import { TOTAL, type UsageRow } from "./collection.ts";
import { sumOf, withoutMerged } from "./read-usage.ts";
import { dayAfter } from "./usage.ts";

/** Nobody writes rows of a day so long after it, see `GIVE_UP_DAYS` of the ledger, and clocks may differ. */
const SETTLED_DAYS = 3;
const PAGE = 1_000;

/** One walk over all tenants. `today` is as `2026-11-22`. */
export async function compactUsage(
  records: Records<UsageRow>,
  { today, keepDays }: { readonly today: string; readonly keepDays: number },
): Promise<void> {
  const settled = dayAfter(today, -SETTLED_DAYS);
  const oldest = dayAfter(today, -keepDays);
  let after: Swept<UsageRow> | undefined;
  let done = "";
  for (;;) {
    const page = await records.sweep(after, PAGE);
    for (const { tenant, record } of page) {
      const { day, account } = record;
      if (day < oldest) await records.remove(tenant, { day, account });
      else if (day <= settled && `${tenant}/${day}` !== done && isLoose(record)) {
        await compactDay(records, tenant, day);
        done = `${tenant}/${day}`;
      }
    }
    after = page.at(-1);
    if (page.length < PAGE) return;
  }
}

function isLoose({ account, merging = [] }: UsageRow): boolean {
  return account !== TOTAL || merging.length > 0;
}

async function compactDay(
  records: Records<UsageRow>,
  tenant: TenantId,
  day: string,
): Promise<void> {
  // Before the rows: with those that others have put into it meanwhile, the write below is refused.
  const total = await records.get(tenant, { day, account: TOTAL });
  const rows = await records.list(tenant, { index: "key", same: { day }, limit: PAGE });
  const others = rows.filter(({ account }) => account !== TOTAL);
  const counted = withoutMerged(total === undefined ? others : [total, ...others]);
  const loose = counted.filter(({ account }) => account !== TOTAL);
  const merging = [...(total?.merging ?? []), ...loose.map(({ account }) => account)];
  const revision = (total?.revision ?? 0) + 1;
  const { storeBytes, ...sum } = sumOf(counted);
  const merged: UsageRow = {
    ...{ day, account: TOTAL, ...sum, revision, merging },
    ...(storeBytes !== undefined && { storeBytes }),
  };
  // Another node was faster: what it did is enough.
  if (total === undefined) {
    if (!(await records.insert(tenant, merged)).written) return;
  } else if (loose.length > 0) {
    const where = { revision: { is: total.revision } };
    if (!(await records.put(tenant, merged, where)).written) return;
  }
  await Promise.all(merging.map((account) => records.remove(tenant, { day, account })));
  const change = { merging: [], revision: revision + 1 };
  const standing = loose.length > 0 || total === undefined ? revision : total.revision;
  await records.update(tenant, { day, account: TOTAL }, change, { revision: { is: standing } });
}
