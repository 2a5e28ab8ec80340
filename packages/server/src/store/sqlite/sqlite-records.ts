import type { TenantId } from "../../tenant/tenant.ts";
import { checkConditions, checkQuery, KEYS_MAX, limitOf } from "../check-query.ts";
import { changeOf, columnsOf, keyOf, recordOf, rowOf, type Value } from "../row.ts";
import type { Conditions, Key, Query, Records, Swept, Written } from "../store.ts";
import type { Ask, Inserted, Row } from "./messages.ts";
import { andWhere, type CollectionSql, found, listed, quoted, type Statement } from "./sql.ts";

/** Where reads and writes go. */
export type Asked = {
  read(ask: Ask): Promise<unknown>;
  write(ask: Ask): Promise<unknown>;
};

export class SqliteRecords<R extends object> implements Records<R> {
  readonly #sql: CollectionSql;
  readonly #asked: Asked;

  constructor(sql: CollectionSql, asked: Asked) {
    this.#sql = sql;
    this.#asked = asked;
  }

  async get(tenant: TenantId, key: Key<R>): Promise<R | undefined> {
    const [row] = await this.#read(this.#byKey(tenant, this.#key(key)));
    return row && this.#record(row);
  }

  async getMany(tenant: TenantId, keys: readonly Key<R>[]): Promise<readonly (R | undefined)[]> {
    if (keys.length > KEYS_MAX) throw new TypeError(`at most ${KEYS_MAX} keys`);
    const { sql } = this.#byKey(tenant, []);
    const params = keys.map((key) => [tenant, ...this.#key(key)]);
    const rows = await this.#asked.read({ ask: "each", sql, params });
    return (rows as (Row | null)[]).map((row) => (row === null ? undefined : this.#record(row)));
  }

  async list(tenant: TenantId, query: Query<R>): Promise<readonly R[]> {
    const { sql, params } = this.#found(tenant, query);
    const rows = await this.#read({ sql: `SELECT ${this.#sql.columns} ${sql}`, params });
    return rows.map((row) => this.#record(row));
  }

  async count(tenant: TenantId, query: Query<R>): Promise<number> {
    const { sql, params } = this.#found(tenant, query);
    const [row] = await this.#read({ sql: `SELECT count(*) FROM (SELECT 1 ${sql})`, params });
    return Number(row?.[0] ?? 0);
  }

  async insert(tenant: TenantId, record: R): Promise<Written<R>> {
    const row = rowOf(this.#sql.shape, record);
    const statement = { sql: this.#sql.insert, params: [tenant, ...row] };
    const ways = [this.#byKey(tenant, this.#keyIn(row)), ...this.#uniqueWays(tenant, row)];
    return this.#written(row, await this.#asked.write({ ask: "insert", statement, ways }));
  }

  async append(tenant: TenantId, record: R): Promise<Written<R>> {
    const { append, shape } = this.#sql;
    if (append === undefined || shape.counted === undefined) {
      throw new TypeError(`${shape.name} counts nothing`);
    }
    const row = rowOf(shape, { ...record, [shape.counted]: 0 });
    const statement = { sql: append, params: [tenant, ...row] };
    const ways = this.#uniqueWays(tenant, row);
    return this.#written(row, await this.#asked.write({ ask: "insert", statement, ways }));
  }

  async put(tenant: TenantId, record: R, where?: Conditions<R>): Promise<Written<R>> {
    const { shape, table, columns, byKey, insert } = this.#sql;
    const row = rowOf(shape, record);
    const key = [tenant, ...this.#keyIn(row)];
    const and = andWhere(checkConditions(shape, where));
    const names = columnsOf(shape);
    const rest = names.map((name, place) => [name, row[place] ?? null] as const);
    const changes = new Map(rest.filter(([name]) => !shape.key.includes(name)));
    const ask: Ask = {
      ask: "put",
      update: this.#change(key, changes, { and, returning: quoted(shape.key.at(-1) ?? "") }),
      current: {
        sql: `SELECT (1${and.sql}), ${columns} FROM ${table} WHERE ${byKey}`,
        params: [...and.params, ...key],
      },
      insert: { sql: insert, params: [tenant, ...row] },
      ways: this.#uniqueWays(tenant, row, key),
    };
    return this.#written(row, await this.#asked.write(ask));
  }

  async update(
    tenant: TenantId,
    key: Key<R>,
    change: Partial<R>,
    where?: Conditions<R>,
  ): Promise<R | undefined> {
    const { shape, columns } = this.#sql;
    const and = andWhere(checkConditions(shape, where));
    const changes = changeOf(shape, change);
    const of = [tenant, ...this.#key(key)];
    const statement = this.#change(of, changes, { and, returning: columns });
    const [row] = (await this.#asked.write({ ask: "rows", statement })) as Row[];
    return row && this.#record(row);
  }

  async remove(tenant: TenantId, key: Key<R>, where?: Conditions<R>): Promise<boolean> {
    const { shape, table, byKey } = this.#sql;
    const and = andWhere(checkConditions(shape, where));
    const statement = {
      sql: `DELETE FROM ${table} WHERE ${byKey}${and.sql}`,
      params: [tenant, ...this.#key(key), ...and.params],
    };
    return (await this.#asked.write({ ask: "change", statement })) === 1;
  }

  async removeSome(tenant: TenantId, query: Query<R>): Promise<number> {
    const { shape, table } = this.#sql;
    const { sql, params } = this.#found(tenant, query);
    const key = listed(["tenant", ...shape.key]);
    const statement = {
      sql: `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} ${sql})`,
      params,
    };
    return (await this.#asked.write({ ask: "change", statement })) as number;
  }

  async sweep(after: Swept<R> | undefined, limit: number): Promise<readonly Swept<R>[]> {
    const { shape, table, columns } = this.#sql;
    const key = listed(["tenant", ...shape.key]);
    const from = after && [after.tenant, ...this.#keyIn(rowOf(shape, after.record))];
    const beyond = from ? ` WHERE (${key}) > (?${", ?".repeat(shape.key.length)})` : "";
    const rows = await this.#read({
      sql: `SELECT "tenant", ${columns} FROM ${table} NOT INDEXED${beyond} ORDER BY ${key} LIMIT ?`,
      params: [...(from ?? []), limitOf(shape, limit)],
    });
    return rows.map(([tenant, ...row]) => ({
      tenant: tenant as TenantId,
      record: this.#record(row),
    }));
  }

  async #read(statement: Statement): Promise<readonly Row[]> {
    return (await this.#asked.read({ ask: "rows", statement })) as Row[];
  }

  #found(tenant: TenantId, query: Query<R>): Statement {
    return found(this.#sql, tenant, checkQuery(this.#sql.shape, query));
  }

  #byKey(tenant: TenantId, key: readonly Value[]): Statement {
    const { columns, table, byKey } = this.#sql;
    return {
      sql: `SELECT ${columns} FROM ${table} NOT INDEXED WHERE ${byKey}`,
      params: [tenant, ...key],
    };
  }

  /** Finds what has the same in a unique index; `but`: not the record with this tenant and key. */
  #uniqueWays(tenant: TenantId, row: readonly Value[], but?: readonly Value[]): Statement[] {
    const { unique, byKey } = this.#sql;
    const ways: Statement[] = [];
    for (const { places, sql } of unique) {
      const values = places.map((place) => row[place] ?? null);
      if (values.includes(null)) continue;
      ways.push(
        but === undefined
          ? { sql, params: [tenant, ...values] }
          : { sql: `${sql} AND NOT (${byKey})`, params: [tenant, ...values, ...but] },
      );
    }
    return ways;
  }

  /** A change that another record stands in the way of changes nothing. */
  #change(
    key: readonly Value[],
    changes: ReadonlyMap<string, Value>,
    { and, returning }: { readonly and: Statement; readonly returning: string },
  ): Statement {
    const { table, byKey, shape } = this.#sql;
    const sets = [...changes.keys()].map((name) => `${quoted(name)} = ?`);
    const same = quoted(shape.key[0] ?? "");
    const set = sets.length === 0 ? `${same} = ${same}` : sets.join(", ");
    return {
      sql: `UPDATE OR IGNORE ${table} SET ${set} WHERE ${byKey}${and.sql} RETURNING ${returning}`,
      params: [...changes.values(), ...key, ...and.params],
    };
  }

  #key(key: Key<R>): Value[] {
    return keyOf(this.#sql.shape, key);
  }

  #keyIn(row: readonly Value[]): Value[] {
    return this.#sql.keyPlaces.map((place) => row[place] ?? null);
  }

  #written(row: readonly Value[], answer: unknown): Written<R> {
    const inserted = answer as Inserted;
    if ("inTheWay" in inserted) {
      return { written: false, record: this.#record(inserted.inTheWay) };
    }
    const last = this.#sql.keyPlaces.at(-1) ?? 0;
    return { written: true, record: this.#record(row.with(last, inserted.last)) };
  }

  #record(row: readonly unknown[]): R {
    return recordOf(this.#sql.shape, row);
  }
}
