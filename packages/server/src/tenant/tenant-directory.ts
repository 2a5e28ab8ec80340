// The tenants as this node knows them, in memory. What feeds it is `follower.ts`.

import { quotasOf } from "./quotas-of.ts";
import { REMOVED, type TenantRecord } from "./records.ts";
import { parseTenantId, type TenantId } from "./tenant.ts";
import type { Quotas, RegisteredTenants, TenantState, TenantStatus } from "./tenants.ts";

export type TenantDirectoryOptions = {
  /** Tenants that nobody has created are there, when a trusted token names them. */
  readonly open: boolean;
  /** Those of the configuration: always there, and not to be suspended. */
  readonly configured: ReadonlySet<TenantId>;
  /** What holds for tenants without a quota of their own. */
  readonly quotas: Quotas;
  /** There is a store to create tenants in. */
  readonly isKept: boolean;
};

type Known = { readonly record: TenantRecord; readonly state: TenantState };

export class TenantDirectory implements RegisteredTenants {
  readonly #options: TenantDirectoryOptions;
  readonly #known = new Map<TenantId, Known>();
  /** Tombstones, and since when; nothing more is kept of them. */
  readonly #removed = new Map<TenantId, number>();
  readonly #listeners: ((tenant: TenantId) => void)[] = [];
  readonly #goneListeners: ((tenant: TenantId) => void)[] = [];
  readonly #usual: TenantState;
  readonly #absent: TenantState;
  #sorted: readonly TenantId[] | undefined;

  constructor(options: TenantDirectoryOptions) {
    this.#options = options;
    const { quotas } = options;
    this.#usual = Object.freeze({ status: "active", quotas });
    this.#absent = Object.freeze({ status: "deleted", quotas });
  }

  of(tenant: TenantId): TenantState {
    // Most gateways have one tenant, and nothing of it here.
    const known = this.#known.size === 0 ? undefined : this.#known.get(tenant);
    if (known !== undefined) return known.state;
    if (this.#removed.size === 0 || !this.#removed.has(tenant)) {
      return this.#options.open || this.isConfigured(tenant) ? this.#usual : this.#absent;
    }
    // Attack: a token of a deleted tenant that is still out. Who names it in the configuration has made it anew.
    return this.isConfigured(tenant) ? this.#usual : this.#absent;
  }

  onChange(listener: (tenant: TenantId) => void): void {
    this.#listeners.push(listener);
  }

  /** Called in the turn in which a tenant with a record is none any more, or another one under the same id: nothing that is remembered of it is that one's. */
  onGone(listener: (tenant: TenantId) => void): void {
    this.#goneListeners.push(listener);
  }

  /** The configuration names it: it cannot be suspended or deleted, and has no token secrets of its own. */
  isConfigured(tenant: TenantId): boolean {
    return this.#options.configured.has(tenant);
  }

  isRegistered(tenant: TenantId): boolean {
    const known = this.#known.get(tenant);
    if (known !== undefined) return known.state.status !== "deleted";
    return !this.#options.isKept || this.isConfigured(tenant);
  }

  recordOf(tenant: TenantId): TenantRecord | undefined {
    return this.#known.get(tenant)?.record;
  }

  /** It was deleted, nothing of it is left, and nobody has created it anew. */
  wasDeleted(tenant: TenantId): boolean {
    return this.#removed.has(tenant);
  }

  /** How many there are by their record. */
  get size(): number {
    return this.#known.size;
  }

  /** Of those that were deleted, all but the latest `keep`, the oldest first, up to `limit`. O(deleted), if there are more than `keep`. */
  removedBeyond(keep: number, limit: number): TenantId[] {
    const over = Math.min(this.#removed.size - keep, limit);
    if (over <= 0) return [];
    const oldestFirst = [...this.#removed].toSorted(([, a], [, b]) => a - b);
    return oldestFirst.slice(0, over).map(([tenant]) => tenant);
  }

  /** All that there are by record or configuration, by id, after `after`. */
  *listFrom(after: string | undefined): Iterable<TenantId> {
    this.#sorted ??= [...new Set([...this.#options.configured, ...this.#known.keys()])].sort();
    // The list of a moment: one that changes meanwhile makes another.
    const sorted = this.#sorted;
    for (let place = placeAfter(sorted, after); place < sorted.length; place++) {
      const tenant = sorted[place];
      if (tenant !== undefined) yield tenant;
    }
  }

  /** Those with this status by their record. */
  withStatus(status: TenantStatus): TenantId[] {
    return [...this.#known].flatMap(([tenant, { state }]) =>
      state.status === status ? [tenant] : [],
    );
  }

  /** What stands in the store; undefined: nothing. */
  apply(id: string, record: TenantRecord | undefined): void {
    const parsed = parseTenantId(id);
    if (!parsed.ok) return;
    const isBuried = record?.status === REMOVED;
    const isNews = this.#bury(parsed.value, isBuried ? record.changedAt : undefined);
    this.#set(parsed.value, isBuried ? undefined : record, isNews);
  }

  /** Puts a tombstone up, or, for undefined, takes it away. Whether that changed anything. */
  #bury(tenant: TenantId, sinceMs: number | undefined): boolean {
    if (sinceMs === undefined) return this.#removed.delete(tenant);
    const isNew = !this.#removed.has(tenant);
    this.#removed.set(tenant, sinceMs);
    return isNew;
  }

  /** `isNews`: listeners are told in any case. */
  #set(tenant: TenantId, record: TenantRecord | undefined, isNews: boolean): void {
    const former = this.#known.get(tenant)?.record;
    if (isSame(former, record) && !isNews) return;
    if (record === undefined) this.#known.delete(tenant);
    else this.#known.set(tenant, { record, state: stateOf(record, this.#options.quotas) });
    if ((record === undefined) !== (former === undefined)) this.#sorted = undefined;
    if (former !== undefined && former.createdAt !== record?.createdAt) {
      for (const listener of this.#goneListeners) listener(tenant);
    }
    for (const listener of this.#listeners) listener(tenant);
  }

  *ids(): Iterable<TenantId> {
    yield* this.#known.keys();
    yield* this.#removed.keys();
  }
}

/** The id of one that was removed may be another tenant's by now. */
function isSame(one: TenantRecord | undefined, other: TenantRecord | undefined): boolean {
  return one?.revision === other?.revision && one?.createdAt === other?.createdAt;
}

/** The first place whose value is above `after`. */
function placeAfter(sorted: readonly string[], after: string | undefined): number {
  if (after === undefined) return 0;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? "") <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}

function stateOf({ status, quotas }: TenantRecord, defaults: Quotas): TenantState {
  return Object.freeze({ status: statusOf(status), quotas: quotasOf({ ...defaults, ...quotas }) });
}

/** A word that this version does not know keeps people out, and loses nothing. */
export function statusOf(status: string): TenantStatus {
  return status === "active" || status === "deleted" ? status : "suspended";
}
