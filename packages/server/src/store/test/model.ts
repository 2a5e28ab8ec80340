// A store as it should be, as plain as can be: what the property test compares real ones with.

import type { TenantId } from "../../tenant/tenant.ts";
import { type CheckedCondition, checkConditions, checkQuery } from "../check-query.ts";
import type { CollectionShape } from "../collection.ts";
import type { Conditions, Key, Query, Records, Swept, Written } from "../store.ts";

type Fields = Record<string, unknown>;

export class ModelRecords<R extends object> implements Records<R> {
  readonly #shape: CollectionShape;
  #all: { readonly tenant: TenantId; readonly record: R }[] = [];

  constructor(shape: CollectionShape) {
    this.#shape = shape;
  }

  async get(tenant: TenantId, key: Key<R>): Promise<R | undefined> {
    return this.#of(tenant).find((record) => this.#hasKey(record, key));
  }

  async getMany(tenant: TenantId, keys: readonly Key<R>[]): Promise<readonly (R | undefined)[]> {
    return Promise.all(keys.map((key) => this.get(tenant, key)));
  }

  async list(tenant: TenantId, query: Query<R>): Promise<readonly R[]> {
    const checked = checkQuery(this.#shape, query);
    const index =
      query.index === "key" ? this.#shape.key : this.#shape.indexes[query.index]?.fields;
    const found = this.#of(tenant).filter((record) => {
      const at = (field: string | undefined) => (record as Fields)[field ?? ""];
      const next = at(checked.next);
      return (
        (index ?? []).every((field) => at(field) !== undefined) &&
        checked.same.every(([field, value]) => at(field) === value) &&
        (checked.above === undefined || compare(next, checked.above) > 0) &&
        (checked.below === undefined || compare(next, checked.below) < 0) &&
        checked.where.every((condition) => holds(record as Fields, condition)) &&
        (checked.contains === undefined ||
          (String(at(checked.contains.field) ?? "").includes(checked.contains.text) &&
            at(checked.contains.field) !== undefined))
      );
    });
    found.sort((a, b) => compareBy(checked.order, a as Fields, b as Fields));
    if (checked.descending) found.reverse();
    return found.slice(0, checked.limit);
  }

  async count(tenant: TenantId, query: Query<R>): Promise<number> {
    return (await this.list(tenant, query)).length;
  }

  async insert(tenant: TenantId, record: R): Promise<Written<R>> {
    const there = this.#withKeyOf(tenant, record) ?? this.#inTheWay(tenant, record);
    if (there !== undefined) return { written: false, record: there };
    return this.#add(tenant, record);
  }

  async append(tenant: TenantId, record: R): Promise<Written<R>> {
    const counted = this.#shape.counted ?? "";
    const there = this.#inTheWay(tenant, record);
    if (there !== undefined) return { written: false, record: there };
    const log = this.#shape.key.slice(0, -1);
    const numbers = this.#of(tenant)
      .filter((other) =>
        log.every((field) => (other as Fields)[field] === (record as Fields)[field]),
      )
      .map((other) => Number((other as Fields)[counted]));
    return this.#add(tenant, { ...record, [counted]: Math.max(0, ...numbers) + 1 });
  }

  async put(tenant: TenantId, record: R, where?: Conditions<R>): Promise<Written<R>> {
    const current = this.#withKeyOf(tenant, record);
    if (current !== undefined && !this.#holds(current, where)) {
      return { written: false, record: current };
    }
    const other = this.#inTheWay(tenant, record, current);
    if (other !== undefined) return { written: false, record: other };
    if (current !== undefined) this.#drop(current);
    return this.#add(tenant, record);
  }

  async update(
    tenant: TenantId,
    key: Key<R>,
    change: Partial<R>,
    where?: Conditions<R>,
  ): Promise<R | undefined> {
    const current = await this.get(tenant, key);
    if (current === undefined || !this.#holds(current, where)) return undefined;
    const changed = without({ ...current, ...change });
    if (this.#inTheWay(tenant, changed, current) !== undefined) return undefined;
    this.#drop(current);
    return this.#add(tenant, changed).record;
  }

  async remove(tenant: TenantId, key: Key<R>, where?: Conditions<R>): Promise<boolean> {
    const current = await this.get(tenant, key);
    if (current === undefined || !this.#holds(current, where)) return false;
    this.#drop(current);
    return true;
  }

  async removeSome(tenant: TenantId, query: Query<R>): Promise<number> {
    const found = await this.list(tenant, query);
    for (const record of found) this.#drop(record);
    return found.length;
  }

  async sweep(after: Swept<R> | undefined, limit: number): Promise<readonly Swept<R>[]> {
    const order = ["tenant", ...this.#shape.key];
    const whole = ({ tenant, record }: Swept<R>) => ({ tenant, ...record }) as Fields;
    const sorted = this.#all.toSorted((a, b) => compareBy(order, whole(a), whole(b)));
    const left = sorted.filter(
      (one) => after === undefined || compareBy(order, whole(one), whole(after)) > 0,
    );
    return left.slice(0, limit);
  }

  #of(tenant: TenantId): R[] {
    return this.#all.filter((one) => one.tenant === tenant).map(({ record }) => record);
  }

  #add(tenant: TenantId, record: R): Written<R> {
    const kept = without(record);
    this.#all.push({ tenant, record: kept });
    return { written: true, record: kept };
  }

  #drop(record: R): void {
    this.#all = this.#all.filter((one) => one.record !== record);
  }

  #hasKey(record: R, key: object): boolean {
    return this.#shape.key.every((field) => (record as Fields)[field] === (key as Fields)[field]);
  }

  #withKeyOf(tenant: TenantId, record: R): R | undefined {
    return this.#of(tenant).find((other) => this.#hasKey(other, record));
  }

  /** Another record with the same in a unique index; the first such index counts. */
  #inTheWay(tenant: TenantId, record: R, but?: R): R | undefined {
    for (const { fields, unique } of Object.values(this.#shape.indexes)) {
      const values = fields.map((field) => (record as Fields)[field]);
      if (!unique || values.includes(undefined)) continue;
      const other = this.#of(tenant).find(
        (one) => one !== but && fields.every((field, i) => (one as Fields)[field] === values[i]),
      );
      if (other !== undefined) return other;
    }
    return undefined;
  }

  #holds(record: R, where: Conditions<R> | undefined): boolean {
    return checkConditions(this.#shape, where).every((one) => holds(record as Fields, one));
  }
}

function without<R extends object>(record: R): R {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as R;
}

function holds(record: Fields, { field, test, value }: CheckedCondition): boolean {
  // JSON may be null, and is there all the same.
  const own = record[field] === undefined ? null : (record[field] ?? "null");
  switch (test) {
    case "is":
      return own === value;
    case "not":
      return own !== value;
    case "above":
      return own !== null && compare(own, value) > 0;
    case "below":
      return own !== null && compare(own, value) < 0;
    default:
      return test satisfies never;
  }
}

/** Text by its UTF-8. */
function compare(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
}

function compareBy(fields: readonly string[], a: Fields, b: Fields): number {
  for (const field of fields) {
    const order = compare(a[field], b[field]);
    if (order !== 0) return order;
  }
  return 0;
}
