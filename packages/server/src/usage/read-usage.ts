import type { Records } from "../store/store.ts";
import type { TenantId } from "../tenant/tenant.ts";
import { TOTAL, type UsageRow } from "./collection.ts";
import { dayAfter, NO_USAGE, plus, type Usage } from "./usage.ts";

/** What a tenant used on one day (UTC), over all nodes. */
export type DayUsage = Usage & {
  readonly day: string;
  readonly connectionsPeak: number;
  readonly storeBytes: number | undefined;
};

const ROWS_MAX = 10_000;

/** The days from `from` to `to` that something was counted on, in order. `live` stands in place of its own row: what is not written yet. */
export async function readUsage(
  records: Pick<Records<UsageRow>, "list">,
  tenant: TenantId,
  range: { readonly from: string; readonly to: string },
  live?: UsageRow,
): Promise<DayUsage[]> {
  const rows = await readRows(records, tenant, range);
  const isInRange = live !== undefined && live.day >= range.from && live.day <= range.to;
  const others = rows.filter(({ day, account }) => day !== live?.day || account !== live.account);
  const byDay = Map.groupBy(isInRange ? [...others, live] : rows, ({ day }) => day);
  return [...byDay]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, ofDay]) => ({ day, ...sumOf(withoutMerged(ofDay)) }));
}

async function readRows(
  records: Pick<Records<UsageRow>, "list">,
  tenant: TenantId,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<UsageRow[]> {
  const rows: UsageRow[] = [];
  let above = dayAfter(from, -1);
  for (;;) {
    const query = { index: "key", above, below: dayAfter(to, 1), limit: ROWS_MAX } as const;
    const page = await records.list(tenant, query);
    const last = page.at(-1);
    const isWhole = last === undefined || page.length < ROWS_MAX || page[0]?.day === last.day;
    rows.push(...(isWhole ? page : page.filter(({ day }) => day !== last.day)));
    if (last === undefined || page.length < ROWS_MAX) return rows;
    above = rows.at(-1)?.day ?? last.day;
  }
}

/** A row that is in its day's total counts there. */
export function withoutMerged(rows: readonly UsageRow[]): UsageRow[] {
  const merged = new Set(rows.find(({ account }) => account === TOTAL)?.merging);
  return rows.filter(({ account }) => !merged.has(account));
}

export function sumOf(rows: readonly UsageRow[]): Omit<DayUsage, "day"> {
  let usage: Usage = NO_USAGE;
  let connectionsPeak = 0;
  let storeBytes: number | undefined;
  for (const row of rows) {
    usage = plus(usage, row);
    // Of nodes whose peaks were at other moments it is too much, never too little.
    connectionsPeak += row.connectionsPeak;
    if (row.storeBytes !== undefined) storeBytes = Math.max(storeBytes ?? 0, row.storeBytes);
  }
  return { ...usage, connectionsPeak, storeBytes };
}
