// The SQL of one collection. Names come from shapes alone, whose grammar was checked and which are quoted all the same; every value is bound.
import type { CheckedCondition, CheckedQuery } from "../check-query.ts";
import type { CollectionShape, FieldShape, IndexShape } from "../collection.ts";
import { columnsOf, type Value } from "../row.ts";

/** A statement, and what is bound to its question marks. */
export type Statement = { readonly sql: string; readonly params: readonly Value[] };

export function quoted(name: string): string {
  return `"${name}"`;
}

/** Indexes share one space of names; no collection has a dot in its own. */
export function indexName(collection: string, index: string): string {
  return quoted(`${collection}.${index}`);
}

/** `"a", "b"` */
export function listed(names: readonly string[]): string {
  return names.map(quoted).join(", ");
}

/** The parts of statements that are always the same for a collection. */
export type CollectionSql = {
  readonly shape: CollectionShape;
  readonly table: string;
  /** All columns but the tenant's, in the order of a row. */
  readonly columns: string;
  /** Finds a record: bound to the tenant and the key. */
  readonly byKey: string;
  readonly insert: string;
  /** Undefined: nothing is counted. */
  readonly append: string | undefined;
  /** Where in a row the fields of the key are. */
  readonly keyPlaces: readonly number[];
  readonly unique: readonly UniqueSql[];
};

/** Finds the record with the same in a unique index: bound to the tenant and what stands at `places` of a row. */
export type UniqueSql = { readonly places: readonly number[]; readonly sql: string };

export function collectionSql(shape: CollectionShape): CollectionSql {
  const names = columnsOf(shape);
  const table = quoted(shape.name);
  const columns = listed(names);
  const byKey = ["tenant", ...shape.key].map((name) => `${quoted(name)} = ?`).join(" AND ");
  const into = `INSERT INTO ${table} ("tenant", ${columns})`;
  const last = quoted(shape.key.at(-1) ?? "tenant");
  const kept = `ON CONFLICT DO NOTHING RETURNING ${last}`;
  const placesOf = (fields: readonly string[]) => fields.map((field) => names.indexOf(field));
  const uniques = Object.values(shape.indexes).filter((index) => index.unique);
  return {
    ...{ shape, table, columns, byKey },
    keyPlaces: placesOf(shape.key),
    unique: uniques.map(({ fields }) => {
      const same = fields.map((field) => ` AND ${quoted(field)} = ?`).join("");
      const sql = `SELECT ${columns} FROM ${table} WHERE "tenant" = ?${same}`;
      return { places: placesOf(fields), sql };
    }),
    insert: `${into} VALUES (?${", ?".repeat(names.length)}) ${kept}`,
    append: shape.counted === undefined ? undefined : `${into} ${counting(shape)} ${kept}`,
  };
}

/** The values of a row, but for the counted one: one more than there is. */
function counting(shape: CollectionShape): string {
  const log = shape.key.slice(0, -1);
  const places = new Map([["tenant", 1]]);
  for (const [place, name] of columnsOf(shape).entries()) places.set(name, place + 2);
  const same = ["tenant", ...log].map((name) => `${quoted(name)} = ?${places.get(name)}`);
  const highest = `SELECT max(${quoted(shape.counted ?? "")}) FROM ${quoted(shape.name)} NOT INDEXED WHERE ${same.join(" AND ")}`;
  const values = [...places].map(([name, place]) =>
    // The place stays bound, to the 0 that is added to.
    name === shape.counted ? `?${place} + 1 + coalesce((${highest}), 0)` : `?${place}`,
  );
  return `VALUES (${values.join(", ")})`;
}

const COMPARED = { is: "IS", not: "IS NOT", above: ">", below: "<" } as const;

/** Conditions that follow others. */
export function andWhere(conditions: readonly CheckedCondition[]): Statement {
  return {
    sql: conditions.map(({ field, test }) => ` AND ${quoted(field)} ${COMPARED[test]} ?`).join(""),
    params: conditions.map(({ value }) => value),
  };
}

/** From `FROM` on: what a query finds, in its order, up to its limit. */
export function found({ shape, table }: CollectionSql, tenant: string, query: CheckedQuery) {
  const params: Value[] = [tenant];
  const parts = [`"tenant" = ?`];
  const add = (test: string, value: Value) => {
    parts.push(test);
    params.push(value);
  };
  for (const [field, value] of query.same) add(`${quoted(field)} = ?`, value);
  if (query.above !== undefined) add(`${quoted(query.next ?? "")} > ?`, query.above);
  if (query.below !== undefined) add(`${quoted(query.next ?? "")} < ?`, query.below);
  for (const field of query.present) parts.push(`${quoted(field)} IS NOT NULL`);
  const where = andWhere(query.where);
  params.push(...where.params);
  let sql = `${parts.join(" AND ")}${where.sql}`;
  if (query.contains !== undefined) {
    sql += ` AND instr(${quoted(query.contains.field)}, ?) > 0`;
    params.push(query.contains.text);
  }
  params.push(query.limit);
  const by =
    query.index === "key" ? "NOT INDEXED" : `INDEXED BY ${indexName(shape.name, query.index)}`;
  const direction = query.descending ? " DESC" : "";
  const order = query.order.map((field) => `${quoted(field)}${direction}`).join(", ");
  const ordered = order === "" ? "" : ` ORDER BY ${order}`;
  return { sql: `FROM ${table} ${by} WHERE ${sql}${ordered} LIMIT ?`, params } satisfies Statement;
}

/** Sets a collection up, without its indexes. */
export function createTable(shape: CollectionShape): string {
  const columns = columnsOf(shape).map((name) => columnOf(name, shape.fields[name]));
  const key = listed(["tenant", ...shape.key]);
  const all = [`"tenant" TEXT NOT NULL`, ...columns, `PRIMARY KEY (${key})`];
  return `CREATE TABLE ${quoted(shape.name)} (${all.join(", ")}) STRICT, WITHOUT ROWID`;
}

export function columnOf(name: string, field: FieldShape | undefined): string {
  const type = field?.kind === "integer" ? "INTEGER" : "TEXT";
  return `${quoted(name)} ${type}${field?.optional ? "" : " NOT NULL"}`;
}

/** Records without one of the fields are not in it. */
export function createIndex(shape: CollectionShape, name: string, index: IndexShape): string {
  const unique = index.unique ? "UNIQUE " : "";
  const on = `${quoted(shape.name)} (${listed(["tenant", ...index.fields])})`;
  const optional = index.fields.filter((field) => shape.fields[field]?.optional);
  const present = optional.map((field) => `${quoted(field)} IS NOT NULL`).join(" AND ");
  const where = present === "" ? "" : ` WHERE ${present}`;
  return `CREATE ${unique}INDEX ${indexName(shape.name, name)} ON ${on}${where}`;
}
