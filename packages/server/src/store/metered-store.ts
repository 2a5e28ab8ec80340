// What a store of any kind is asked, and how it answers, as the metrics tell it.
import type { TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import type { Collection } from "./collection.ts";
import type { StorePlan } from "./plan.ts";
import type { Conditions, Key, Query, Records, Store, Swept, Written } from "./store.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

export type StoreCall = "read" | "write";

export type StoreMeter = {
  readonly clock: Clock;
  /** One was answered after so many seconds. */
  readonly onAnswer: (call: StoreCall, seconds: number) => void;
  /** One was `StoreUnavailable`: the store is away, late, or has too much waiting. */
  readonly onUnavailable: (call: StoreCall) => void;
};

/** A store that tells what it does. */
export class MeteredStore implements Store {
  readonly #store: Store;
  readonly #meter: StoreMeter;
  readonly #views = new WeakMap<object, Records<object>>();
  #waiting = 0;

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
    return this.#store.open(plans);
  }

  records<R extends object>(collection: Collection<R>): Records<R> {
    const records = this.#store.records(collection);
    const known = this.#views.get(records);
    if (known !== undefined) return known as Records<object> as Records<R>;
    const made = new MeteredRecords(records, (call, run) => this.#measure(call, run));
    this.#views.set(records, made as Records<R> as Records<object>);
    return made;
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #measure<T>(call: StoreCall, run: () => Promise<T>): Promise<T> {
    const { clock, onAnswer, onUnavailable } = this.#meter;
    const sinceMs = clock.monotonicMs();
    this.#waiting++;
    try {
      const answer = await run();
      onAnswer(call, (clock.monotonicMs() - sinceMs) / 1_000);
      return answer;
    } catch (error) {
      if (error instanceof StoreUnavailable) onUnavailable(call);
      throw error;
    } finally {
      this.#waiting--;
    }
  }
}

type Measure = <T>(call: StoreCall, run: () => Promise<T>) => Promise<T>;

class MeteredRecords<R extends object> implements Records<R> {
  readonly #records: Records<R>;
  readonly #measure: Measure;

  constructor(records: Records<R>, measure: Measure) {
    this.#records = records;
    this.#measure = measure;
  }

  get(tenant: TenantId, key: Key<R>): Promise<R | undefined> {
    return this.#measure("read", () => this.#records.get(tenant, key));
  }

  getMany(tenant: TenantId, keys: readonly Key<R>[]): Promise<readonly (R | undefined)[]> {
    return this.#measure("read", () => this.#records.getMany(tenant, keys));
  }

  list(tenant: TenantId, query: Query<R>): Promise<readonly R[]> {
    return this.#measure("read", () => this.#records.list(tenant, query));
  }

  count(tenant: TenantId, query: Query<R>): Promise<number> {
    return this.#measure("read", () => this.#records.count(tenant, query));
  }

  insert(tenant: TenantId, record: R): Promise<Written<R>> {
    return this.#measure("write", () => this.#records.insert(tenant, record));
  }

  append(tenant: TenantId, record: R): Promise<Written<R>> {
    return this.#measure("write", () => this.#records.append(tenant, record));
  }

  put(tenant: TenantId, record: R, where?: Conditions<R>): Promise<Written<R>> {
    return this.#measure("write", () => this.#records.put(tenant, record, where));
  }

  update(
    tenant: TenantId,
    key: Key<R>,
    change: Partial<R>,
    where?: Conditions<R>,
  ): Promise<R | undefined> {
    return this.#measure("write", () => this.#records.update(tenant, key, change, where));
  }

  remove(tenant: TenantId, key: Key<R>, where?: Conditions<R>): Promise<boolean> {
    return this.#measure("write", () => this.#records.remove(tenant, key, where));
  }

  removeSome(tenant: TenantId, query: Query<R>): Promise<number> {
    return this.#measure("write", () => this.#records.removeSome(tenant, query));
  }

  sweep(after: Swept<R> | undefined, limit: number): Promise<readonly Swept<R>[]> {
    return this.#measure("read", () => this.#records.sweep(after, limit));
  }
}
