// What is asked of a collection's table, as SQL. Values are bound, each with its type; names are those of the shape.
import type { CheckedCondition, CheckedQuery } from "../check-query.ts";
import type { CollectionShape } from "../collection.ts";
import { columnsOf, type Value } from "../row.ts";
import { arrayOf } from "./arrays.ts";
import type { Statement } from "./link.ts";
import { castOf, columnOf, TENANT, tableOf } from "./names.ts";

/** Values of one statement. */
export class Parameters {
  readonly values: Value[] = [];

  /** Where it stands in the text. Numbers go as digits: the server makes of them what the cast says. */
  add(value: Value, type: "bigint" | "text" | "bigint[]" | "text[]"): string {
    this.values.push(typeof value === "number" ? String(value) : value);
    return `$${this.values.length}::${type}`;
  }
}

export function columnList(shape: CollectionShape, of = "t"): string {
  return columnsOf(shape)
    .map((field) => `${of}.${columnOf(field)}`)
    .join(", ");
}

export function getStatement(
  shape: CollectionShape,
  tenant: string,
  key: readonly Value[],
): Statement {
  return findStatement(shape, tenant, shape.key, key);
}

/** The record that has these values in `fields`, which are those of the key or of a unique index. */
export function findStatement(
  shape: CollectionShape,
  tenant: string,
  fields: readonly string[],
  values: readonly Value[],
): Statement {
  const bound = new Parameters();
  const all = [
    `t.${TENANT} = ${bound.add(tenant, "text")}`,
    ...fields.map((field, place) => equals(shape, field, values[place] ?? null, bound)),
  ];
  const text = `SELECT ${columnList(shape)} FROM ${tableOf(shape.name)} t WHERE ${all.join(" AND ")}`;
  return { text, values: bound.values };
}

/** Each row begins with the place of its key, from 1. */
export function getManyStatement(
  shape: CollectionShape,
  tenant: string,
  keys: readonly (readonly Value[])[],
): Statement {
  const bound = new Parameters();
  const tenantAt = bound.add(tenant, "text");
  const arrays = shape.key.map((field, place) => {
    const values = keys.map((key) => key[place] ?? null);
    return bound.add(arrayOf(values), `${castOf(shape, field)}[]`);
  });
  const names = shape.key.map((_, n) => `k${n}`);
  const same = shape.key.map((field, n) => `t.${columnOf(field)} = v.k${n}`);
  const text = `SELECT v.n, ${columnList(shape)} FROM unnest(${arrays.join(", ")}) WITH ORDINALITY AS v(${names.join(", ")}, n) JOIN ${tableOf(shape.name)} t ON t.${TENANT} = ${tenantAt} AND ${same.join(" AND ")}`;
  return { text, values: bound.values };
}

export function listStatement(
  shape: CollectionShape,
  tenant: string,
  query: CheckedQuery,
): Statement {
  const bound = new Parameters();
  const found = foundBy(shape, tenant, query, bound);
  return { text: `SELECT ${columnList(shape)} ${found}`, values: bound.values };
}

export function countStatement(
  shape: CollectionShape,
  tenant: string,
  query: CheckedQuery,
): Statement {
  const bound = new Parameters();
  const found = foundBy(shape, tenant, query, bound);
  return { text: `SELECT count(*) FROM (SELECT 1 ${found}) f`, values: bound.values };
}

/** What is changed meanwhile, so that it is no longer meant, stays. */
export function removeSomeStatement(
  shape: CollectionShape,
  tenant: string,
  query: CheckedQuery,
): Statement {
  const bound = new Parameters();
  const names = shape.key.map(columnOf);
  const found = foundBy(shape, tenant, query, bound);
  const first = `SELECT ${names.map((name) => `t.${name}`).join(", ")} ${found}`;
  const same = names.map((name) => `t.${name} = f.${name}`);
  const still = [...conditionsOf(shape, tenant, query, bound), ...same].join(" AND ");
  const removed = `DELETE FROM ${tableOf(shape.name)} t USING (${first}) f WHERE ${still} RETURNING 1`;
  return {
    text: `WITH removed AS (${removed}) SELECT count(*) FROM removed`,
    values: bound.values,
  };
}

/** Rows of all tenants, each with its tenant first. */
export function sweepStatement(
  shape: CollectionShape,
  after: { readonly tenant: string; readonly key: readonly Value[] } | undefined,
  limit: number,
): Statement {
  const bound = new Parameters();
  const names = [TENANT, ...shape.key.map(columnOf)].map((name) => `t.${name}`).join(", ");
  let where = "";
  if (after !== undefined) {
    const place = [
      bound.add(after.tenant, "text"),
      ...shape.key.map((field, n) => bound.add(after.key[n] ?? null, castOf(shape, field))),
    ];
    where = `WHERE (${names}) > (${place.join(", ")})`;
  }
  const text = `SELECT t.${TENANT}, ${columnList(shape)} FROM ${tableOf(shape.name)} t ${where} ORDER BY ${names} LIMIT ${bound.add(limit, "bigint")}`;
  return { text, values: bound.values };
}

/** One comparison with a column; `value` is where what it is compared with stands. */
export function comparison(test: CheckedCondition["test"], column: string, value: string): string {
  switch (test) {
    case "is":
      return `${column} = ${value}`;
    case "not":
      // Also true for what is not there.
      return `${column} IS DISTINCT FROM ${value}`;
    case "above":
      return `${column} > ${value}`;
    case "below":
      return `${column} < ${value}`;
    default:
      return test satisfies never;
  }
}

/** A comparison with nothing: whether the field is there. */
export function comparisonWithNothing(test: CheckedCondition["test"], column: string): string {
  switch (test) {
    case "is":
      return `${column} IS NULL`;
    case "not":
      return `${column} IS NOT NULL`;
    case "above":
    case "below":
      return "false";
    default:
      return test satisfies never;
  }
}

export function conditionSql(
  shape: CollectionShape,
  { field, test, value }: CheckedCondition,
  bound: Parameters,
): string {
  const column = `t.${columnOf(field)}`;
  if (value === null) return comparisonWithNothing(test, column);
  return comparison(test, column, bound.add(value, castOf(shape, field)));
}

function equals(shape: CollectionShape, field: string, value: Value, bound: Parameters): string {
  return `t.${columnOf(field)} = ${bound.add(value, castOf(shape, field))}`;
}

/** From `FROM` to the end. */
function foundBy(
  shape: CollectionShape,
  tenant: string,
  query: CheckedQuery,
  bound: Parameters,
): string {
  const way = query.descending ? " DESC" : "";
  const order = query.order.map((field) => `t.${columnOf(field)}${way}`);
  return [
    `FROM ${tableOf(shape.name)} t WHERE ${conditionsOf(shape, tenant, query, bound).join(" AND ")}`,
    ...(order.length === 0 ? [] : [`ORDER BY ${order.join(", ")}`]),
    `LIMIT ${bound.add(query.limit, "bigint")}`,
  ].join(" ");
}

function conditionsOf(
  shape: CollectionShape,
  tenant: string,
  query: CheckedQuery,
  bound: Parameters,
): string[] {
  const { same, next, above, below, present, where, contains } = query;
  const range = (test: "above" | "below", value: Value | undefined) =>
    next === undefined || value === undefined || value === null
      ? []
      : [comparison(test, `t.${columnOf(next)}`, bound.add(value, castOf(shape, next)))];
  return [
    `t.${TENANT} = ${bound.add(tenant, "text")}`,
    ...same.map(([field, value]) => equals(shape, field, value, bound)),
    ...range("above", above),
    ...range("below", below),
    // Only with these is a partial index used.
    ...present.map((field) => `t.${columnOf(field)} IS NOT NULL`),
    ...where.map((condition) => conditionSql(shape, condition, bound)),
    ...(contains === undefined
      ? []
      : [`strpos(t.${columnOf(contains.field)}, ${bound.add(contains.text, "text")}) > 0`]),
  ];
}
