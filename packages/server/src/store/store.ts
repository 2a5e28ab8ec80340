import type { TenantId } from "../tenant/tenant.ts";
import type { Collection } from "./collection.ts";
import type { StorePlan } from "./plan.ts";

/** Conditions on a record as it stands: all of these hold. `undefined` is for a field that is not there. */
export type Conditions<R> = { readonly [N in keyof R]?: Condition<R[N]> };

/** One of these forms. `below` and `above` are exclusive, and never hold for a field that is not there; nor does `not: value` fail for it. */
export type Condition<T> =
  | { readonly is: T | undefined }
  | { readonly not: T | undefined }
  | { readonly below: T; readonly above?: T }
  | { readonly above: T };

/** The fields of a key, by name. */
export type Key<R> = Partial<R>;

/**
 * Asks for records by an index, so that nothing is ever found by reading everything (P3). `same` gives values for the first fields of the index;
 * `above` and `below`, exclusive, bound the next one. The answer is in the order of the fields of the index that are left, and then of the key. What does
 * not fit the index is a `TypeError`.
 */
export type Query<R> = {
  /** Name of an index, or `key`. */
  readonly index: string;
  readonly same?: Partial<R>;
  readonly above?: string | number | undefined;
  readonly below?: string | number | undefined;
  /** Default: `ascending`. */
  readonly order?: "ascending" | "descending";
  /** Of those in the range. Not served by the index: the range is what bounds the work. */
  readonly where?: Conditions<R>;
  /** Those whose field of kind `words` holds this text somewhere; folded by the caller as that was, see `foldText`. */
  readonly contains?: { readonly field: keyof R & string; readonly text: string };
  /** At most so many records: from 1 to 10,000. */
  readonly limit: number;
};

/** What `insert`, `append` and `put` did. `record` is the one that stands now. */
export type Written<R> = { readonly written: boolean; readonly record: R };

/**
 * Records of one collection, always within one tenant (P2). Every promise that resolves after a write has been kept: the database has committed it,
 * and it survives this process, and this machine as far as the database does (P4). Each call is atomic on its own; of several nobody may rely on
 * more than that the first was kept when the second is called after its promise. Methods reject with `StoreUnavailable` when the database is away,
 * and throw a `TypeError` for values that the collection's shape does not take, which is a fault of the caller.
 */
export type Records<R extends object> = {
  get(tenant: TenantId, key: Key<R>): Promise<R | undefined>;
  /** In the order of `keys`. At most 1,000. */
  getMany(tenant: TenantId, keys: readonly Key<R>[]): Promise<readonly (R | undefined)[]>;
  list(tenant: TenantId, query: Query<R>): Promise<readonly R[]>;
  /** How many there are, counted up to `limit`. */
  count(tenant: TenantId, query: Query<R>): Promise<number>;
  /**
   * Adds a record, unless one with its key, or with the same in a unique index, is there: that one is the answer then, `written: false`, so that of
   * two nodes that insert the same one wins and both know which.
   */
  insert(tenant: TenantId, record: R): Promise<Written<R>>;
  /**
   * In a collection with a counted field, which the store sets, whatever stands in `record`: one more than the highest of its log, without gaps, so that who has
   * seen number n has been able to read all before it. The same as {@link insert} when a unique index holds the record already; no number is used up then.
   * The last record of a log is not to be removed while the log is to go on counting.
   */
  append(tenant: TenantId, record: R): Promise<Written<R>>;
  /**
   * Adds it, or replaces the record with its key, if `where` holds for that one; if not, that one is the answer, `written: false`. Unique indexes hold
   * as for {@link insert}: then the other record that is in the way is.
   */
  put(tenant: TenantId, record: R, where?: Conditions<R>): Promise<Written<R>>;
  /**
   * Changes fields outside the key, if the record is there and `where` holds for it; `undefined` clears one. Returns the record as it stands then, undefined when
   * nothing was changed: that too if another record has the same in a unique index. Of several at once each sees what the one before it left.
   */
  update(
    tenant: TenantId,
    key: Key<R>,
    change: Partial<R>,
    where?: Conditions<R>,
  ): Promise<R | undefined>;
  /** Returns whether there was one to remove. */
  remove(tenant: TenantId, key: Key<R>, where?: Conditions<R>): Promise<boolean>;
  /** Removes the first `limit` of what `query` finds. Returns how many. For retention: in pieces, so that no writer waits long. */
  removeSome(tenant: TenantId, query: Query<R>): Promise<number>;
  /**
   * Of all tenants, in order of tenant and key, after the place that the last page ended with. For upkeep alone: nothing that is asked for by a user
   * may be answered from it.
   */
  sweep(after: Swept<R> | undefined, limit: number): Promise<readonly Swept<R>[]>;
};

export type Swept<R> = { readonly tenant: TenantId; readonly record: R };

/**
 * Durable records. One contract suite is run against every kind of database (`store.contract.ts`). Writes that are asked for while others are being
 * committed are committed together with the next ones, so that many at once cost little more than one.
 */
export type Store = {
  /**
   * Sets the collections of `plans` up, and brings older ones up to date, under a lock that holds over all nodes. Called once, before anything is asked. Tried
   * again in the background for as long as the database is away; {@link Store.isWell} is false meanwhile and all else rejects with
   * `StoreUnavailable`. Rejects with {@link StoreUnfit} when trying again would not help.
   */
  open(plans: readonly StorePlan[]): Promise<void>;
  /** A view of one collection; the same collection may be asked for more than once. */
  records<R extends object>(collection: Collection<R>): Records<R>;
  /** Whether it is open and the last thing asked of it was answered. */
  readonly isWell: boolean;
  /** For the log: what kind, and where, without passwords. */
  readonly description: string;
  /** Lets what is being written end first. */
  close(): Promise<void>;
};

/** The database is not for this version, or not for us: newer than it, of other plans, no rights, a path that cannot be. Told at start, and the node does not run. */
export class StoreUnfit extends Error {
  override readonly name = "StoreUnfit";
}
