import type { TenantId } from "../../tenant/tenant.ts";
import { checkConditions, checkQuery, KEYS_MAX, limitOf } from "../check-query.ts";
import type { CollectionShape } from "../collection.ts";
import { changeOf, columnsOf, keyOf, recordOf, rowOf, type Value } from "../row.ts";
import type { Conditions, Key, Query, Records, Swept, Written } from "../store.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import type { Write } from "./batch.ts";
import type { Rows, Statement } from "./link.ts";
import {
  countStatement,
  findStatement,
  getManyStatement,
  getStatement,
  listStatement,
  removeSomeStatement,
  sweepStatement,
} from "./read-statements.ts";
import { type Answer, nameOf } from "./write-queue.ts";
import {
  appendKind,
  insertKind,
  putKind,
  removeKind,
  updateKind,
  type WriteKind,
} from "./write-statements.ts";

export type RecordsDeps = {
  readonly shape: CollectionShape;
  /** Resolves when it is committed. */
  readonly write: (write: Write) => Promise<Answer>;
  /** One statement. Rejects with `StoreUnavailable` alone. */
  readonly ask: (statement: Statement) => Promise<Rows>;
};

/** A record that is in the way, and gone when it is looked for: so often another try is made. */
const ATTEMPTS = 10;

type Row = readonly unknown[];

/** Records of one table. */
export class PostgresRecords<R extends object> implements Records<R> {
  readonly #deps: RecordsDeps;
  readonly #shape: CollectionShape;
  readonly #columns: readonly string[];
  readonly #insert: WriteKind;
  readonly #append: WriteKind | undefined;

  constructor(deps: RecordsDeps) {
    this.#deps = deps;
    this.#shape = deps.shape;
    this.#columns = columnsOf(deps.shape);
    this.#insert = insertKind(deps.shape);
    const { counted } = deps.shape;
    this.#append = counted === undefined ? undefined : appendKind(deps.shape, counted);
  }

  async get(tenant: TenantId, key: Key<R>): Promise<R | undefined> {
    const statement = getStatement(this.#shape, tenant, keyOf(this.#shape, key));
    return this.#record((await this.#deps.ask(statement))[0]);
  }

  async getMany(tenant: TenantId, keys: readonly Key<R>[]): Promise<readonly (R | undefined)[]> {
    if (keys.length > KEYS_MAX) throw new TypeError(`${this.#shape.name}: too many keys`);
    if (keys.length === 0) return [];
    const values = keys.map((key) => keyOf(this.#shape, key));
    const rows = await this.#deps.ask(getManyStatement(this.#shape, tenant, values));
    const found: (R | undefined)[] = keys.map(() => undefined);
    for (const [place, ...row] of rows) found[Number(place) - 1] = this.#record(row);
    return found;
  }

  async list(tenant: TenantId, query: Query<R>): Promise<readonly R[]> {
    const statement = listStatement(this.#shape, tenant, checkQuery(this.#shape, query));
    return (await this.#deps.ask(statement)).map((row) => this.#read(row));
  }

  async count(tenant: TenantId, query: Query<R>): Promise<number> {
    const statement = countStatement(this.#shape, tenant, checkQuery(this.#shape, query));
    return Number((await this.#deps.ask(statement))[0]?.[0]);
  }

  async insert(tenant: TenantId, record: R): Promise<Written<R>> {
    const values = rowOf(this.#shape, record);
    const write = {
      kind: this.#insert,
      values: [tenant, ...values],
      name: this.#nameOf(tenant, values),
      alone: [],
    };
    return await this.#until(async () => {
      if (isRow(await this.#deps.write(write))) {
        return { written: true, record: recordOf<R>(this.#shape, values) };
      }
      return this.#standing(
        (await this.#byKey(tenant, values)) ?? (await this.#byUnique(tenant, values)),
      );
    });
  }

  async append(tenant: TenantId, record: R): Promise<Written<R>> {
    const { counted = "" } = this.#shape;
    const kind = this.#append;
    if (kind === undefined) throw new TypeError(`${this.#shape.name} counts nothing`);
    const place = this.#columns.indexOf(counted);
    const values = rowOf(this.#shape, { ...record, [counted]: 0 });
    const log = this.#shape.key.slice(0, -1).map((field) => this.#valueOf(values, field));
    const write = {
      kind,
      values: [tenant, ...values.toSpliced(place, 1)],
      name: `log ${nameOf([tenant, ...log])}`,
      alone: this.#uniqueNames(tenant, values),
    };
    return await this.#until(async () => {
      const answer = await this.#deps.write(write);
      if (isRow(answer)) {
        const whole = values.with(place, Number(answer[0]));
        return { written: true, record: recordOf<R>(this.#shape, whole) };
      }
      return this.#standing(await this.#byUnique(tenant, values));
    });
  }

  async put(tenant: TenantId, record: R, where?: Conditions<R>): Promise<Written<R>> {
    const values = rowOf(this.#shape, record);
    const write = {
      kind: putKind(this.#shape, checkConditions(this.#shape, where)),
      values: [tenant, ...values],
      name: this.#nameOf(tenant, values),
      alone: [],
    };
    return await this.#until(async () => {
      const answer = await this.#deps.write(write);
      if (isRow(answer)) return { written: true, record: recordOf<R>(this.#shape, values) };
      return this.#standing(
        answer === "taken"
          ? await this.#byUnique(tenant, values)
          : await this.#byKey(tenant, values),
      );
    });
  }

  async update(
    tenant: TenantId,
    key: Key<R>,
    change: Partial<R>,
    where?: Conditions<R>,
  ): Promise<R | undefined> {
    const values = keyOf(this.#shape, key);
    const changed = changeOf(this.#shape, change);
    const conditions = checkConditions(this.#shape, where);
    const compared = conditions.flatMap(({ value }) => (value === null ? [] : [value]));
    const answer = await this.#deps.write({
      kind: updateKind(this.#shape, [...changed.keys()], conditions),
      values: [tenant, ...values, ...changed.values(), ...compared],
      name: nameOf([tenant, ...values]),
      alone: [],
    });
    return isRow(answer) ? this.#read(answer) : undefined;
  }

  async remove(tenant: TenantId, key: Key<R>, where?: Conditions<R>): Promise<boolean> {
    const values = keyOf(this.#shape, key);
    const conditions = checkConditions(this.#shape, where);
    const compared = conditions.flatMap(({ value }) => (value === null ? [] : [value]));
    const answer = await this.#deps.write({
      kind: removeKind(this.#shape, conditions),
      values: [tenant, ...values, ...compared],
      name: nameOf([tenant, ...values]),
      alone: [],
    });
    return isRow(answer);
  }

  async removeSome(tenant: TenantId, query: Query<R>): Promise<number> {
    const statement = removeSomeStatement(this.#shape, tenant, checkQuery(this.#shape, query));
    return Number((await this.#deps.ask(statement))[0]?.[0]);
  }

  async sweep(after: Swept<R> | undefined, limit: number): Promise<readonly Swept<R>[]> {
    const place = after && { tenant: after.tenant, key: this.#keyValues(after.record) };
    const statement = sweepStatement(this.#shape, place, limitOf(this.#shape, limit));
    const rows = await this.#deps.ask(statement);
    return rows.map(([tenant, ...row]) => ({
      tenant: String(tenant) as TenantId,
      record: this.#read(row),
    }));
  }

  /** `attempt` until it has an answer. */
  async #until<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    for (let n = 0; n < ATTEMPTS; n++) {
      const answer = await attempt();
      if (answer !== undefined) return answer;
    }
    throw new StoreUnavailable("records in the way came and went");
  }

  #standing(record: R | undefined): Written<R> | undefined {
    return record && { written: false, record };
  }

  async #byKey(tenant: TenantId, values: readonly Value[]): Promise<R | undefined> {
    const key = this.#shape.key.map((field) => this.#valueOf(values, field));
    return this.#record((await this.#deps.ask(getStatement(this.#shape, tenant, key)))[0]);
  }

  /** The first other one that has the same in one of the unique indexes. */
  async #byUnique(tenant: TenantId, values: readonly Value[]): Promise<R | undefined> {
    const own = this.#nameOf(tenant, values);
    for (const [fields, same] of this.#uniqueValues(values)) {
      const [row] = await this.#deps.ask(findStatement(this.#shape, tenant, fields, same));
      if (row !== undefined && this.#nameOf(tenant, row) !== own) return this.#read(row);
    }
    return undefined;
  }

  #uniqueValues(values: readonly Value[]): (readonly [readonly string[], Value[]])[] {
    return Object.values(this.#shape.indexes)
      .filter(({ unique }) => unique === true)
      .map(({ fields }) => [fields, fields.map((field) => this.#valueOf(values, field))] as const)
      .filter(([, same]) => !same.includes(null));
  }

  #uniqueNames(tenant: TenantId, values: readonly Value[]): string[] {
    return this.#uniqueValues(values).map(
      ([fields, same]) => `unique ${fields.join()} ${nameOf([tenant, ...same])}`,
    );
  }

  #nameOf(tenant: TenantId, row: Row): string {
    return nameOf([tenant, ...this.#shape.key.map((field) => row[this.#columns.indexOf(field)])]);
  }

  #valueOf(values: readonly Value[], field: string): Value {
    return values[this.#columns.indexOf(field)] ?? null;
  }

  #keyValues(record: R): Value[] {
    const fields = record as Readonly<Record<string, unknown>>;
    return keyOf(this.#shape, Object.fromEntries(this.#shape.key.map((f) => [f, fields[f]])));
  }

  #record(row: Row | undefined): R | undefined {
    return row && this.#read(row);
  }

  #read(row: Row): R {
    const fields = Object.values(this.#shape.fields);
    return recordOf<R>(
      this.#shape,
      row.map((value, place) =>
        fields[place]?.kind === "integer" && value !== null ? Number(value) : value,
      ),
    );
  }
}

function isRow(answer: Answer): answer is Row {
  return Array.isArray(answer);
}
