// API keys of tenants: made, replaced and revoked while the gateway runs.
import { accept, type Result, refuse } from "@aldis/protocol";
import { digestOf } from "../auth/api-keys.ts";
import type { RandomIds } from "../random/random.ts";
import type { Records } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import { NOT_CREATED } from "./administration.ts";
import { Credentials, type WhichCredential } from "./credentials.ts";
import type { Follower, Step } from "./follower.ts";
import type { KeyTable } from "./key-table.ts";
import type { Author, KeyRecord } from "./records.ts";
import type { TenantId } from "./tenant.ts";
import type { RegisteredTenants } from "./tenants.ts";

export type KeyAdministrationDeps = {
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly directory: RegisteredTenants;
  readonly follower: Pick<Follower, "change">;
  readonly records: Records<KeyRecord>;
  readonly table: KeyTable;
};

export type KeyWish = {
  readonly name: string | undefined;
  readonly scopes: readonly string[];
  /** Unix milliseconds; undefined: it has no end. */
  readonly expiresAt: number | undefined;
};

/** The key itself is here, once, and nowhere else. */
export type MadeKey = { readonly key: string; readonly record: KeyRecord };

/** `tenants.keysMax` may have been more before; a key that is not listed is one that nobody revokes. */
const LISTED_MAX = 10_000;
const SECRET_BYTES = 32;
const ID_BYTES = 12;
/** The same for a key of another tenant: whoever tries ids learns nothing (P2). */
const NO_KEY = refuse("not_found", "no such key");

/** Seconds in place of milliseconds make a key that opens nothing. */
const IS_OVER = refuse("bad_request", "expiresAt: is over already; it is in Unix milliseconds");

export class KeyAdministration {
  readonly #deps: KeyAdministrationDeps;
  readonly #keys: Credentials<KeyRecord>;
  /** Keys of one tenant. */
  readonly #max: number;

  constructor(deps: KeyAdministrationDeps, max: number) {
    this.#deps = deps;
    this.#keys = new Credentials({
      ...{ ...deps, kind: "key" },
      applied: (step, { tenant, id }, record) => step.applied("key", tenant, id, record),
    });
    this.#max = max;
  }

  create(by: Author, tenant: TenantId, wish: KeyWish): Promise<Result<MadeKey>> {
    const { clock, follower } = this.#deps;
    return follower.change(async (step) => {
      if ((wish.expiresAt ?? Number.POSITIVE_INFINITY) <= clock.nowMs()) return IS_OVER;
      if (!this.#deps.directory.isRegistered(tenant)) return NOT_CREATED;
      const made = await this.#make(step, tenant, wish);
      if (!made.ok) return made;
      const { id } = made.value.record;
      const word = { by, action: "key.created", detail: { ...wish } };
      await this.#keys.log(step, { tenant, id }, word);
      return made;
    });
  }

  async list(tenant: TenantId): Promise<Result<readonly KeyRecord[]>> {
    if (!this.#deps.directory.isRegistered(tenant)) return NOT_CREATED;
    const { records, table } = this.#deps;
    const listed = await records.list(tenant, { index: "key", limit: LISTED_MAX });
    return accept(listed.map((record) => used(table, tenant, record)));
  }

  /** Makes another key like it; the former one goes on for `overlapMs`. */
  rotate(by: Author, which: WhichCredential, overlapMs: number): Promise<Result<MadeKey>> {
    const { directory, follower, records } = this.#deps;
    return follower.change(async (step) => {
      const { tenant, id } = which;
      const isThere = directory.isRegistered(tenant);
      const former = isThere ? await records.get(tenant, { id }) : undefined;
      if (former === undefined || this.#keys.isOver(former)) return NO_KEY;
      const { name, scopes, expiresAt } = former;
      const made = await this.#make(step, tenant, { name, scopes, expiresAt });
      if (!made.ok) return made;
      const to = made.value.record.id;
      const word = { by, action: "key.created", detail: { inPlaceOf: id } };
      await this.#keys.log(step, { tenant, id: to }, word);
      const endsAt = await this.#keys.endIn(step, which, former, overlapMs);
      await this.#keys.log(step, which, { by, action: "key.rotated", detail: { endsAt, to } });
      return made;
    });
  }

  revoke(by: Author, which: WhichCredential): Promise<Result<KeyRecord>> {
    const detailOf = ({ name }: KeyRecord) => ({ name });
    return this.#deps.follower.change(async (step) => {
      const entry = { by, action: "key.revoked", detailOf };
      const former = await this.#keys.revoke(step, which, entry);
      return former === undefined ? NO_KEY : accept(former);
    });
  }

  /** Keys that have ended make room when there is none: who rotates often has many. */
  async #hasRoom(step: Step, tenant: TenantId): Promise<boolean> {
    const { records } = this.#deps;
    const held = await records.list(tenant, { index: "key", limit: LISTED_MAX });
    if (held.length < this.#max) return true;
    const over = held.filter((record) => this.#keys.isOver(record));
    for (const { id } of over) {
      await records.remove(tenant, { id });
      step.applied("key", tenant, id, undefined);
    }
    return held.length - over.length < this.#max;
  }

  async #make(step: Step, tenant: TenantId, wish: KeyWish): Promise<Result<MadeKey>> {
    const { clock, random, records } = this.#deps;
    if (!(await this.#hasRoom(step, tenant))) {
      return refuse("limit_reached", "the tenant has too many keys");
    }
    const key = `aldis_${random.id(SECRET_BYTES)}`;
    const { record } = await records.insert(tenant, {
      ...{ id: random.id(ID_BYTES), digest: digestOf(key), name: wish.name },
      ...{ scopes: wish.scopes, createdAt: clock.nowMs(), expiresAt: wish.expiresAt },
    });
    step.applied("key", tenant, record.id, record);
    return accept({ key, record });
  }
}

/** The store is told of uses later. */
function used(table: KeyTable, tenant: TenantId, record: KeyRecord): KeyRecord {
  const seen = Math.max(table.usedAtMs(tenant, record.id) ?? 0, record.lastUsedAt ?? 0);
  return seen === 0 ? record : { ...record, lastUsedAt: seen };
}
