// What a store of any kind is asked, and how it answers, as the metrics tell it.
import { FieldError, type Refusal } from "@aldis/protocol";
import { SYSTEM_TENANT, type TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import type { Collection } from "./collection.ts";
import { type StorePlan, shapesOf } from "./plan.ts";
import type { Conditions, Key, Query, Records, Store, Swept, Written } from "./store.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

export type StoreCall = "read" | "write";

export type StoreMeter = {
  readonly clock: Clock;
  /** One was answered after so many seconds. */
  readonly onAnswer: (call: StoreCall, seconds: number) => void;
  /** One was `StoreUnavailable`: the store is away, late, or has too much waiting. */
  readonly onUnavailable: (call: StoreCall) => void;
  /** What may wait of all tenants together. */
  readonly waitingMax: number;
  /** Refused, as too much of its tenant waits. */
  readonly onOverShare: () => void;
  /** Collections that the gateway keeps for itself: what is asked of these is no tenant's. */
  readonly isOwn: (collection: string) => boolean;
  /** Asked and told of what tenants keep; undefined: nobody counts. */
  readonly keeping: () => Keeping | undefined;
};

/** What tenants keep, counted by whoever wants to know. */
export type Keeping = {
  /** Why one more record may not be kept; undefined: it may. */
  refusal(tenant: TenantId, collection: string): Refusal | undefined;
  /** One more record is kept. */
  added(tenant: TenantId, collection: string, record: object): void;
  removed(tenant: TenantId, collection: string, records: number): void;
};

/** A tenant may have so many times what is left of the room waiting: alone three quarters of all, with others less, so that there is always some left for who has nothing there. */
const SHARE = 3;

/** A store that tells what it does. */
export class MeteredStore implements Store {
  readonly #store: Store;
  readonly #meter: StoreMeter;
  readonly #views = new WeakMap<object, Records<object>>();
  readonly #waitingOf = new Map<TenantId, number>();
  #waiting = 0;
  #plans: readonly StorePlan[] = [];

  constructor(store: Store, meter: StoreMeter) {
    this.#store = store;
    this.#meter = meter;
  }

  /** What was asked and is not answered yet. */
  get waiting(): number {
    return this.#waiting;
  }

  get isWell(): boolean {
    return this.#store.isWell;
  }

  get description(): string {
    return this.#store.description;
  }

  open(plans: readonly StorePlan[]): Promise<void> {
    this.#plans = plans;
    return this.#store.open(plans);
  }

  /** The records of all collections that it was opened with, by name. */
  all(): ReadonlyMap<string, Records<object>> {
    const shapes = this.#plans.flatMap((plan) => [...shapesOf(plan).values()]);
    return new Map(shapes.map((shape) => [shape.name, this.records(shape)]));
  }

  records<R extends object>(collection: Collection<R>): Records<R> {
    const records = this.#store.records(collection);
    const known = this.#views.get(records);
    if (known !== undefined) return known as Records<object> as Records<R>;
    const { name } = collection;
    // Attack: a tenant whose share is full, so that its keys cannot be revoked, nor any node read which ones were.
    const isOwn = this.#meter.isOwn(name);
    const made = new MeteredRecords(records, {
      ...{ name, keeping: this.#meter.keeping },
      measure: (call, tenant, run) => this.#measure(call, isOwn ? SYSTEM_TENANT : tenant, run),
    });
    this.#views.set(records, made as Records<R> as Records<object>);
    return made;
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #measure<T>(call: StoreCall, tenant: TenantId, run: () => Promise<T>): Promise<T> {
    const { clock, onAnswer, onUnavailable } = this.#meter;
    const sinceMs = clock.monotonicMs();
    this.#enter(call, tenant);
    try {
      const answer = await run();
      onAnswer(call, (clock.monotonicMs() - sinceMs) / 1_000);
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailable) onUnavailable(call);
      throw error;
    } finally {
      this.#leave(tenant);
    }
  }

  /** Attack: one tenant that asks for so much that there is no room for anybody else's. */
  #enter(call: StoreCall, tenant: TenantId): void {
    const { waitingMax, onOverShare, onUnavailable } = this.#meter;
    const own = this.#waitingOf.get(tenant) ?? 0;
    if (tenant !== SYSTEM_TENANT && own >= SHARE * (waitingMax - this.#waiting)) {
      onOverShare();
      onUnavailable(call);
      throw new StoreUnavailable("too much of this tenant waits");
    }
    this.#waiting++;
    this.#waitingOf.set(tenant, own + 1);
  }

  #leave(tenant: TenantId): void {
    this.#waiting--;
    const own = (this.#waitingOf.get(tenant) ?? 1) - 1;
    if (own === 0) this.#waitingOf.delete(tenant);
    else this.#waitingOf.set(tenant, own);
  }
}

type View = {
  readonly name: string;
  readonly keeping: () => Keeping | undefined;
  readonly measure: <T>(call: StoreCall, tenant: TenantId, run: () => Promise<T>) => Promise<T>;
};

class MeteredRecords<R extends object> implements Records<R> {
  readonly #records: Records<R>;
  readonly #view: View;

  constructor(records: Records<R>, view: View) {
    this.#records = records;
    this.#view = view;
  }

  get(tenant: TenantId, key: Key<R>): Promise<R | undefined> {
    return this.#view.measure("read", tenant, () => this.#records.get(tenant, key));
  }

  getMany(tenant: TenantId, keys: readonly Key<R>[]): Promise<readonly (R | undefined)[]> {
    return this.#view.measure("read", tenant, () => this.#records.getMany(tenant, keys));
  }

  list(tenant: TenantId, query: Query<R>): Promise<readonly R[]> {
    return this.#view.measure("read", tenant, () => this.#records.list(tenant, query));
  }

  count(tenant: TenantId, query: Query<R>): Promise<number> {
    return this.#view.measure("read", tenant, () => this.#records.count(tenant, query));
  }

  insert(tenant: TenantId, record: R): Promise<Written<R>> {
    return this.#keep(tenant, () => this.#records.insert(tenant, record));
  }

  append(tenant: TenantId, record: R): Promise<Written<R>> {
    return this.#keep(tenant, () => this.#records.append(tenant, record));
  }

  put(tenant: TenantId, record: R, where?: Conditions<R>): Promise<Written<R>> {
    return this.#view.measure("write", tenant, () => this.#records.put(tenant, record, where));
  }

  update(
    tenant: TenantId,
    key: Key<R>,
    change: Partial<R>,
    where?: Conditions<R>,
  ): Promise<R | undefined> {
    return this.#view.measure("write", tenant, () =>
      this.#records.update(tenant, key, change, where),
    );
  }

  async remove(tenant: TenantId, key: Key<R>, where?: Conditions<R>): Promise<boolean> {
    const { measure, keeping, name } = this.#view;
    const removed = await measure("write", tenant, () => this.#records.remove(tenant, key, where));
    if (removed) keeping()?.removed(tenant, name, 1);
    return removed;
  }

  async removeSome(tenant: TenantId, query: Query<R>): Promise<number> {
    const { measure, keeping, name } = this.#view;
    const count = await measure("write", tenant, () => this.#records.removeSome(tenant, query));
    if (count > 0) keeping()?.removed(tenant, name, count);
    return count;
  }

  sweep(after: Swept<R> | undefined, limit: number): Promise<readonly Swept<R>[]> {
    return this.#view.measure("read", SYSTEM_TENANT, () => this.#records.sweep(after, limit));
  }

  /** A new record, unless the tenant has as much as it may. */
  async #keep(tenant: TenantId, write: () => Promise<Written<R>>): Promise<Written<R>> {
    const { measure, keeping, name } = this.#view;
    const refusal = keeping()?.refusal(tenant, name);
    if (refusal !== undefined) throw new FieldError(refusal);
    const answer = await measure("write", tenant, write);
    if (answer.written) keeping()?.added(tenant, name, answer.record);
    return answer;
  }
}
