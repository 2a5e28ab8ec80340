/**
 * Writes what tenants use behind them: each account's own row of the day, whole, some seconds after something was counted. Called by a timer alone. What was counted
 * since the last write is lost by `kill -9`; nothing is ever counted twice, as a row holds the sum and not what came on top.
 */
import type { TenantAccount } from "../limits/tenant-account.ts";
import type { TenantAccounts } from "../limits/tenant-accounts.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Records } from "../store/store.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { Unavailable } from "../unavailable.ts";
import type { UsageRow } from "./collection.ts";
import { dayAfter, dayOf, GROWING, minus, NO_USAGE, type Usage, usageOf } from "./usage.ts";

export type UsageLedgerDeps = {
  readonly accounts: TenantAccounts;
  /** Undefined: nothing is kept. */
  readonly records: Pick<Records<UsageRow>, "put"> | undefined;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  /** Done before rows are written, as they tell of it. */
  readonly sizes?: { flush(): Promise<void> } | undefined;
  /** Unlike that of any other process, ever. */
  readonly life: string;
};

export type UsageLedgerOptions = {
  readonly writeMs: number;
  /** With more accounts than this, those that are idle are forgotten. */
  readonly accountsMax: number;
};

/** Written at the same time. */
const AT_A_TIME = 100;
/** A day that could not be written until so long after it is given up: it may have been put together without this row. */
const GIVE_UP_DAYS = 1;

/** What is known of an account's rows. */
class Entry {
  readonly name: string;
  day: string;
  /** What the account had counted when the day began. */
  base: Usage = NO_USAGE;
  written: UsageRow | undefined;
  /** Of the day before, until it is written. */
  pending: UsageRow | undefined;

  constructor(name: string, day: string) {
    this.name = name;
    this.day = day;
  }
}

type Owed = { readonly entry: Entry; readonly tenant: TenantId; readonly row: UsageRow };

export class UsageLedger {
  readonly #deps: UsageLedgerDeps;
  readonly #options: UsageLedgerOptions;
  readonly #entries = new Map<TenantAccount, Entry>();
  #names = 0;
  #timer: Timer | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(deps: UsageLedgerDeps, options: UsageLedgerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = this.#deps.clock.setTimer(this.#options.writeMs, () => {
      void this.write().then(() => this.start());
    });
  }

  /** Writes what has changed. Never rejects: what could not be written is the next time. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeOnce());
    return this.#writing;
  }

  /** What this node has counted of a tenant today, with what is not written yet; undefined: nothing. */
  today(tenant: TenantId): UsageRow | undefined {
    for (const account of this.#deps.accounts.all()) {
      if (account.tenant === tenant) return this.#turn(account).row;
    }
    return undefined;
  }

  /** There is no such tenant any more: what it used is not that of whoever has its id next. */
  forget(tenant: TenantId): void {
    const { accounts } = this.#deps;
    for (const account of accounts.all()) {
      if (account.tenant !== tenant) continue;
      this.#entries.delete(account);
      return accounts.forget(account);
    }
  }

  /** Writes once more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.write();
  }

  async #writeOnce(): Promise<void> {
    try {
      await this.#deps.sizes?.flush();
      const owed = this.#owed();
      if (this.#deps.records !== undefined) await this.#writeAll(this.#deps.records, owed);
      this.#forgetIdle();
    } catch (error) {
      this.#deps.counters.usageWritesFailed++;
      if (error instanceof Unavailable) return;
      this.#deps.log.error({ err: error }, "usage could not be written");
    }
  }

  #owed(): Owed[] {
    const owed: Owed[] = [];
    for (const account of this.#deps.accounts.all()) {
      const { entry, row } = this.#turn(account);
      const { tenant } = account;
      if (entry.pending !== undefined) owed.push({ entry, tenant, row: entry.pending });
      if (!isSame(row, entry.written)) owed.push({ entry, tenant, row });
    }
    return owed;
  }

  /** The account's row of today, after midnight with what yesterday came to put aside. */
  #turn(account: TenantAccount): { readonly entry: Entry; readonly row: UsageRow } {
    const { clock, life } = this.#deps;
    account.time(clock.monotonicMs());
    const today = dayOf(clock.nowMs());
    let entry = this.#entries.get(account);
    if (entry === undefined) {
      entry = new Entry(`${life}.${this.#names++}`, today);
      this.#entries.set(account, entry);
    }
    if (today > entry.day) this.#endDay(account, entry, today);
    return { entry, row: rowOf(account, entry) };
  }

  #endDay(account: TenantAccount, entry: Entry, today: string): void {
    const row = rowOf(account, entry);
    if (entry.pending !== undefined) this.#deps.counters.usageRowsLost++;
    entry.pending = isSame(row, entry.written) ? undefined : row;
    entry.base = usageOf(account);
    entry.written = undefined;
    entry.day = today;
    account.startPeak();
  }

  async #writeAll(records: Pick<Records<UsageRow>, "put">, owed: readonly Owed[]): Promise<void> {
    for (let at = 0; at < owed.length; at += AT_A_TIME) {
      await Promise.all(owed.slice(at, at + AT_A_TIME).map((one) => this.#writeRow(records, one)));
    }
  }

  async #writeRow(
    records: Pick<Records<UsageRow>, "put">,
    { entry, tenant, row }: Owed,
  ): Promise<void> {
    const isPending = row === entry.pending;
    const oldest = dayAfter(dayOf(this.#deps.clock.nowMs()), -GIVE_UP_DAYS);
    if (row.day < oldest) this.#deps.counters.usageRowsLost++;
    else await records.put(tenant, row);
    if (isPending) entry.pending = undefined;
    else if (row.day === entry.day) entry.written = row;
  }

  /** Not below half of what there may be: a tenant that comes back has another row that day. */
  #forgetIdle(): void {
    const { accounts, clock, records } = this.#deps;
    if (accounts.size <= this.#options.accountsMax / 2) return;
    const nowMs = clock.monotonicMs();
    for (const account of accounts.all()) {
      const entry = this.#entries.get(account);
      if (entry === undefined || account.connections > 0 || !account.owesNothing(nowMs)) continue;
      const isWritten = entry.pending === undefined && isSame(rowOf(account, entry), entry.written);
      if (!isWritten && records !== undefined) continue;
      this.#entries.delete(account);
      accounts.forget(account);
    }
  }
}

function rowOf(account: TenantAccount, { day, name, base }: Entry): UsageRow {
  const { connectionsPeak, storeBytes } = account;
  const of = { day, account: name, ...minus(usageOf(account), base), connectionsPeak };
  return storeBytes === undefined ? of : { ...of, storeBytes };
}

/** A day on which nothing happened has no row. */
function isSame(row: UsageRow, written: UsageRow | undefined): boolean {
  const { connectionsPeak, storeBytes } = written ?? { connectionsPeak: 0, storeBytes: undefined };
  const before: Usage = written ?? NO_USAGE;
  if (row.connectionsPeak !== connectionsPeak) return false;
  if (written !== undefined && row.storeBytes !== storeBytes) return false;
  return GROWING.every((name) => row[name] === before[name]);
}
