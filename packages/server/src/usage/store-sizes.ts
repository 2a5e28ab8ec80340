/**
 * How much each tenant keeps in the store: what writes add is counted here and written behind, what goes is counted as records of the tenant's mean size; and now and then all is counted anew. So the total is as
 * good as the last count and what was written since; changes of records that are there count with the next one.
 */
import { type Refusal, refuse } from "@aldis/protocol";
import { overQuota } from "../limits/tenant-account.ts";
import type { TenantAccounts } from "../limits/tenant-accounts.ts";
import { defineCollection, integer, type RecordOf, text } from "../store/collection.ts";
import type { Records, Swept } from "../store/store.ts";
import { SYSTEM_TENANT, type TenantId } from "../tenant/tenant.ts";

const fields = {
  part: text(),
  records: integer(),
  bytes: integer(),
  /** Grows with each change. */
  revision: integer(),
};

export type StoreSizeRow = RecordOf<typeof fields>;

/** One row of each tenant. */
export const storeSizes = defineCollection({
  name: "usage_store",
  fields,
  key: ["part"],
});

const ALL = { part: "all" };
const TRIES = 5;
const PAGE = 1_000;

type Size = { readonly records: number; readonly bytes: number };
const NOTHING: Size = { records: 0, bytes: 0 };
type Change = { added: number; bytes: number; removed: number };

export type StoreSizesDeps = {
  readonly accounts: TenantAccounts;
  readonly records: Pick<Records<StoreSizeRow>, "get" | "insert" | "put" | "sweep">;
};

/** Bounded by the tenants that have written since the last flush. */
export class StoreSizes {
  readonly #deps: StoreSizesDeps;
  #changes = new Map<TenantId, Change>();

  constructor(deps: StoreSizesDeps) {
    this.#deps = deps;
  }

  /** Why `tenant` may not keep one more record; undefined: it may, or it is not known yet how much it keeps. */
  refusal(tenant: TenantId): Refusal | undefined {
    if (tenant === SYSTEM_TENANT) return undefined;
    const account = this.#deps.accounts.of(tenant);
    const quota = account.quotas.storeBytes;
    if (quota === undefined || account.storeBytes === undefined) return undefined;
    const bytes = account.storeBytes + (this.#changes.get(tenant)?.bytes ?? 0);
    if (bytes < quota) return undefined;
    account.noteRefused("storeBytes");
    return refuse("quota_exceeded", overQuota(tenant, "storeBytes", quota));
  }

  added(tenant: TenantId, bytes: number): void {
    const change = this.#changeOf(tenant);
    if (change === undefined) return;
    change.added++;
    change.bytes += bytes;
  }

  /** Of what size they were is not known. */
  removed(tenant: TenantId, records: number): void {
    const change = this.#changeOf(tenant);
    if (change !== undefined) change.removed += records;
  }

  /** Writes what has changed. What could not be written is the next time; rejects then. */
  async flush(): Promise<void> {
    const changes = this.#changes;
    this.#changes = new Map();
    for (const [tenant, change] of changes) {
      try {
        await this.#add(tenant, change);
        changes.delete(tenant);
      } catch (error) {
        this.#giveBack(changes);
        throw error;
      }
    }
    await this.#lookAtFull();
  }

  /** Who is refused here writes nothing, and so would never hear of the room that was made on another node. */
  async #lookAtFull(): Promise<void> {
    for (const account of this.#deps.accounts.all()) {
      const { tenant, quotas, storeBytes } = account;
      if (quotas.storeBytes === undefined || storeBytes === undefined) continue;
      if (storeBytes < quotas.storeBytes) continue;
      account.storeBytes = (await this.#deps.records.get(tenant, ALL))?.bytes;
    }
  }

  /** Counts everything anew: reads all records there are, page by page, `pause` between the pages. */
  async recount(
    collections: readonly Pick<Records<object>, "sweep">[],
    { sizeOf, pause }: { sizeOf: (record: object) => number; pause: () => Promise<void> },
  ): Promise<void> {
    const sizes = new Map<TenantId, Size>();
    // Those who have nothing any more are found nowhere else.
    for await (const { tenant } of sweepAll(this.#deps.records, pause)) sizes.set(tenant, NOTHING);
    for (const records of collections) {
      for await (const { tenant, record } of sweepAll(records, pause)) {
        const { records: count, bytes } = sizes.get(tenant) ?? NOTHING;
        sizes.set(tenant, { records: count + 1, bytes: bytes + sizeOf(record) });
      }
    }
    for (const [tenant, size] of sizes) {
      if (tenant !== SYSTEM_TENANT) await this.#change(tenant, () => size);
    }
  }

  #changeOf(tenant: TenantId): Change | undefined {
    if (tenant === SYSTEM_TENANT) return undefined;
    const known = this.#changes.get(tenant);
    if (known !== undefined) return known;
    const change = { added: 0, bytes: 0, removed: 0 };
    this.#changes.set(tenant, change);
    return change;
  }

  #giveBack(changes: ReadonlyMap<TenantId, Change>): void {
    for (const [tenant, { added, bytes, removed }] of changes) {
      const change = this.#changeOf(tenant);
      if (change === undefined) continue;
      change.added += added;
      change.bytes += bytes;
      change.removed += removed;
    }
  }

  #add(tenant: TenantId, { added, bytes, removed }: Change): Promise<void> {
    return this.#change(tenant, (known) => {
      const records = known.records + added;
      const all = known.bytes + bytes;
      const left = Math.max(0, records - removed);
      return { records: left, bytes: records === 0 ? 0 : Math.round((all * left) / records) };
    });
  }

  /** Other nodes change the row as well: whoever comes second looks again. */
  async #change(tenant: TenantId, change: (known: Size) => Size): Promise<void> {
    const { records, accounts } = this.#deps;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const known = await records.get(tenant, ALL);
      const size = change(known ?? NOTHING);
      // A tenant that was removed meanwhile is not to have a row again.
      if (known === undefined && size.records === 0) return;
      const row = { ...ALL, ...size, revision: (known?.revision ?? 0) + 1 };
      const { written } =
        known === undefined
          ? await records.insert(tenant, row)
          : await records.put(tenant, row, { revision: { is: known.revision } });
      if (!written) continue;
      const account = accounts.find(tenant);
      if (account !== undefined) account.storeBytes = size.bytes;
      return;
    }
  }
}

/** All records of all tenants, page by page, `pause` between them. */
async function* sweepAll<R extends object>(
  records: Pick<Records<R>, "sweep">,
  pause: () => Promise<void>,
): AsyncGenerator<Swept<R>> {
  for (let after: Swept<R> | undefined; ; await pause()) {
    const page = await records.sweep(after, PAGE);
    yield* page;
    after = page.at(-1);
    if (page.length < PAGE) return;
  }
}
