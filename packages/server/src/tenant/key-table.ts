// API keys that were made at run time, as this node knows them.
import type { Grant, RunTimeKeys } from "../auth/api-keys.ts";
import { SCOPES_AT_RUN_TIME, type Scope, scopesOf } from "../auth/scopes.ts";
import { getOrCreate } from "../get-or-create.ts";
import type { Clock } from "../time/clock.ts";
import type { KeyRecord } from "./records.ts";
import type { TenantId } from "./tenant.ts";

type Entry = {
  readonly tenant: TenantId;
  readonly id: string;
  readonly digest: string;
  readonly grant: Grant;
  readonly expiresAtMs: number;
  /** When it was last used here, and what of that the store has been told; Unix milliseconds. */
  usedAtMs: number;
  toldMs: number;
};

export type UsedKey = {
  readonly tenant: TenantId;
  readonly id: string;
  readonly usedAtMs: number;
};

/** A use is told to the store when the last one told is so old. */
const TOLD_EACH_MS = 60_000;

export class KeyTable implements RunTimeKeys {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #byDigest = new Map<string, Entry>();
  readonly #byTenant = new Map<TenantId, Map<string, Entry>>();
  /** Used, and the store is to be told: at most as many as there are keys. */
  readonly #used = new Set<Entry>();

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#byDigest.size;
  }

  grantOf(digest: string): Grant | undefined {
    if (this.#byDigest.size === 0) return undefined;
    const entry = this.#byDigest.get(digest);
    if (entry === undefined) return undefined;
    const nowMs = this.#clock.nowMs();
    if (entry.expiresAtMs <= nowMs) return undefined;
    entry.usedAtMs = nowMs;
    if (nowMs - entry.toldMs >= TOLD_EACH_MS) this.#used.add(entry);
    return entry.grant;
  }

  hasOthersThan(tenant: TenantId): boolean {
    return this.#byTenant.size > (this.#byTenant.has(tenant) ? 1 : 0);
  }

  /** When it was last used, as far as this node has seen. */
  usedAtMs(tenant: TenantId, id: string): number | undefined {
    const usedAtMs = this.#byTenant.get(tenant)?.get(id)?.usedAtMs ?? 0;
    return usedAtMs === 0 ? undefined : usedAtMs;
  }

  /** Takes up to `max` of those whose use the store is to be told. */
  takeUsed(max: number): UsedKey[] {
    const taken: UsedKey[] = [];
    for (const entry of this.#used) {
      if (taken.length === max) break;
      this.#used.delete(entry);
      entry.toldMs = entry.usedAtMs;
      taken.push({ tenant: entry.tenant, id: entry.id, usedAtMs: entry.usedAtMs });
    }
    return taken;
  }

  apply(tenant: TenantId, id: string, record: KeyRecord | undefined): void {
    const former = this.#byTenant.get(tenant)?.get(id);
    if (former !== undefined) this.#forget(former);
    if (record === undefined) return;
    const { digest, expiresAt = Number.POSITIVE_INFINITY, lastUsedAt = 0 } = record;
    const entry: Entry = {
      ...{ tenant, id, digest, expiresAtMs: expiresAt },
      grant: grantFrom(tenant, record),
      usedAtMs: Math.max(former?.usedAtMs ?? 0, lastUsedAt),
      toldMs: lastUsedAt,
    };
    this.#byDigest.set(digest, entry);
    getOrCreate(this.#byTenant, tenant, () => new Map<string, Entry>()).set(id, entry);
  }

  owners(): Iterable<TenantId> {
    return this.#byTenant.keys();
  }

  idsOf(tenant: TenantId): Iterable<string> {
    return this.#byTenant.get(tenant)?.keys() ?? [];
  }

  #forget(entry: Entry): void {
    this.#used.delete(entry);
    if (this.#byDigest.get(entry.digest) === entry) this.#byDigest.delete(entry.digest);
    const own = this.#byTenant.get(entry.tenant);
    own?.delete(entry.id);
    if (own?.size === 0) this.#byTenant.delete(entry.tenant);
  }
}

function grantFrom(tenant: TenantId, { id, name, scopes }: KeyRecord): Grant {
  const listed = scopes.filter(isScope);
  return Object.freeze({ tenant, name, key: id, scopes: scopesOf(listed, { oneTenant: false }) });
}

/** Attack: a record that gives itself what only the configuration gives. Scopes of a later version are passed over. */
function isScope(scope: string): scope is Scope | "*" {
  return scope === "*" || SCOPES_AT_RUN_TIME.some((known) => known === scope);
}
