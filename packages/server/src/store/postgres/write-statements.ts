// Writes of one kind as one statement, however many there are: each column of them is one array.
import type { CheckedCondition } from "../check-query.ts";
import type { CollectionShape } from "../collection.ts";
import { columnsOf, type Value } from "../row.ts";
import { arrayOf } from "./arrays.ts";
import type { Statement } from "./link.ts";
import { castOf, columnOf, TENANT, tableOf } from "./names.ts";
import {
  columnList,
  comparison,
  comparisonWithNothing,
  conditionSql,
  Parameters,
} from "./read-statements.ts";

/** Makes one statement of many writes that differ in their values alone. */
export type WriteKind = {
  /** The same for kinds that make the same statement. */
  readonly name: string;
  /** `values` are those of one write after another; the answer to each is found as {@link WriteKind.answers} says. */
  statement(values: readonly (readonly Value[])[]): Statement;
  /** What a row of the answer begins with: the place of its write, from 1, or tenant and key of its record. */
  readonly answers: "by-place" | "by-key";
  /** It adds to a log: several at once to the same one are still one statement. */
  readonly appends: boolean;
  /** The same, where {@link WriteKind.statement} fails as a whole when one of its records has what a unique index holds already. */
  readonly careful?: WriteKind["statement"];
};

type Column = { readonly name: string; readonly type: "bigint" | "text" };

/** Values: tenant, then the columns. Answers with tenant and key of what was not there. */
export function insertKind(shape: CollectionShape): WriteKind {
  return {
    name: "insert",
    answers: "by-key",
    appends: false,
    statement(rows) {
      const bound = new Parameters();
      const text = `${insertion(shape, rows, bound)} ON CONFLICT DO NOTHING RETURNING ${keyList(shape)}`;
      return { text, values: bound.values };
    },
  };
}

/** As {@link insertKind}; replaces the record for which `where` holds. */
export function putKind(shape: CollectionShape, where: readonly CheckedCondition[]): WriteKind {
  const rest = columnsOf(shape).filter((field) => !shape.key.includes(field));
  const columns = rest.length === 0 ? [TENANT] : rest.map(columnOf);
  const change = columns.map((column) => `${column} = excluded.${column}`).join(", ");
  const key = [TENANT, ...shape.key.map(columnOf)].join(", ");
  return {
    name: `put ${JSON.stringify(where)}`,
    answers: "by-key",
    appends: false,
    statement(rows) {
      const bound = new Parameters();
      const inserted = insertion(shape, rows, bound);
      const holds = where.map((condition) => conditionSql(shape, condition, bound));
      const only = holds.length === 0 ? "" : ` WHERE ${holds.join(" AND ")}`;
      const text = `${inserted} ON CONFLICT (${key}) DO UPDATE SET ${change}${only} RETURNING ${keyList(shape)}`;
      return { text, values: bound.values };
    },
  };
}

/** Values: tenant, key, then what is set, then what is compared with. Answers with place and record. */
export function updateKind(
  shape: CollectionShape,
  changed: readonly string[],
  where: readonly CheckedCondition[],
): WriteKind {
  const compared = where.filter(({ value }) => value !== null);
  const columns = [
    ...keyColumns(shape),
    ...changed.map((field, n) => ({ name: `c${n}`, type: castOf(shape, field) })),
    ...compared.map(({ field }, n) => ({ name: `w${n}`, type: castOf(shape, field) })),
  ];
  const set = changed.map((field, n) => `${columnOf(field)} = v.c${n}`);
  const holds = [...sameKey(shape), ...holdsFor(where)];
  return {
    name: `update ${changed.join()} ${namesOf(where)}`,
    answers: "by-place",
    appends: false,
    statement(rows) {
      const bound = new Parameters();
      const change = set.length === 0 ? `${TENANT} = t.${TENANT}` : set.join(", ");
      const text = `UPDATE ${tableOf(shape.name)} AS t SET ${change} FROM ${source(columns, rows, bound)} WHERE ${holds.join(" AND ")} RETURNING v.n, ${columnList(shape)}`;
      return { text, values: bound.values };
    },
  };
}

/** Values: tenant, key, then what is compared with. Answers with the place. */
export function removeKind(shape: CollectionShape, where: readonly CheckedCondition[]): WriteKind {
  const compared = where.filter(({ value }) => value !== null);
  const columns = [
    ...keyColumns(shape),
    ...compared.map(({ field }, n) => ({ name: `w${n}`, type: castOf(shape, field) })),
  ];
  const holds = [...sameKey(shape), ...holdsFor(where)];
  return {
    name: `remove ${namesOf(where)}`,
    answers: "by-place",
    appends: false,
    statement(rows) {
      const bound = new Parameters();
      const text = `DELETE FROM ${tableOf(shape.name)} AS t USING ${source(columns, rows, bound)} WHERE ${holds.join(" AND ")} RETURNING v.n`;
      return { text, values: bound.values };
    },
  };
}

/**
 * Values: tenant, then the columns without the counted one. Answers with place and number; when it is careful, of what was not there. Right only while
 * nobody else adds to these logs; should somebody all the same, a number is there twice, and nothing is kept.
 */
export function appendKind(shape: CollectionShape, counted: string): WriteKind {
  const fields = columnsOf(shape).filter((field) => field !== counted);
  const columns = [
    { name: "c", type: "text" as const },
    ...fields.map((field, n) => ({ name: `c${n}`, type: castOf(shape, field) })),
  ];
  const at = (field: string) => `c${fields.indexOf(field)}`;
  const same = (all: readonly string[]) =>
    [`t.${TENANT} = v.c`, ...all.map((field) => `t.${columnOf(field)} = v.${at(field)}`)].join(
      " AND ",
    );
  const log = shape.key.filter((field) => field !== counted);
  const table = tableOf(shape.name);
  const free = Object.values(shape.indexes)
    .filter((index) => index.unique === true && !index.fields.includes(counted))
    .map((index) => `NOT EXISTS (SELECT 1 FROM ${table} t WHERE ${same(index.fields)})`);
  const parts = ["v.c", ...log.map((field) => `v.${at(field)}`)].join(", ");
  const names = columns.map(({ name }) => name).join(", ");
  const targets = [TENANT, ...fields.map(columnOf), columnOf(counted)].join(", ");
  const highest = `SELECT max(t.${columnOf(counted)}) FROM ${table} t WHERE ${same(log)}`;

  function statement(rows: readonly (readonly Value[])[], where: string): Statement {
    const bound = new Parameters();
    // The highest number is looked up once for each log.
    const text = `WITH placed AS (SELECT v.*, row_number() OVER (PARTITION BY ${parts} ORDER BY v.n) AS place FROM ${source(columns, rows, bound)}${where}),
      topped AS (SELECT v.*, CASE WHEN v.place = 1 THEN coalesce((${highest}), 0) END AS top FROM placed v),
      fresh AS MATERIALIZED (SELECT v.*, max(v.top) OVER (PARTITION BY ${parts}) + v.place AS number FROM topped v),
      added AS (INSERT INTO ${table} (${targets}) SELECT ${names}, number FROM fresh RETURNING 1)
      SELECT n, number FROM fresh`;
    return { text, values: bound.values };
  }

  return {
    name: "append",
    answers: "by-place",
    appends: true,
    statement: (rows) => statement(rows, ""),
    // Asked only when it is needed: of a young table the server may not know how it is done quickly.
    ...(free.length > 0 && {
      careful: (rows) => statement(rows, ` WHERE ${free.join(" AND ")}`),
    }),
  };
}

/** Held until the end of the transaction, on this node and on others, and taken in the same order by all. */
export function lockStatement(names: readonly string[]): Statement {
  return {
    text: "SELECT pg_advisory_xact_lock(h) FROM (SELECT DISTINCT hashtextextended(v.name, 0) AS h FROM unnest($1::text[]) AS v(name) ORDER BY 1) AS l",
    values: [arrayOf(names)],
  };
}

function keyColumns(shape: CollectionShape): Column[] {
  return [
    { name: "k", type: "text" },
    ...shape.key.map((field, n) => ({ name: `k${n}`, type: castOf(shape, field) })),
  ];
}

function sameKey(shape: CollectionShape): string[] {
  return [`t.${TENANT} = v.k`, ...shape.key.map((field, n) => `t.${columnOf(field)} = v.k${n}`)];
}

function holdsFor(where: readonly CheckedCondition[]): string[] {
  let place = 0;
  return where.map(({ field, test, value }) => {
    const column = `t.${columnOf(field)}`;
    if (value === null) return comparisonWithNothing(test, column);
    return comparison(test, column, `v.w${place++}`);
  });
}

function namesOf(where: readonly CheckedCondition[]): string {
  return where
    .map(({ field, test, value }) => `${field} ${test}${value === null ? " nothing" : ""}`)
    .join();
}

function keyList(shape: CollectionShape): string {
  return [TENANT, ...shape.key.map(columnOf)].map((column) => `t.${column}`).join(", ");
}

function insertion(
  shape: CollectionShape,
  rows: readonly (readonly Value[])[],
  bound: Parameters,
): string {
  const fields = columnsOf(shape);
  const types = ["text" as const, ...fields.map((field) => castOf(shape, field))];
  const arrays = arraysOf(types, rows, bound);
  const targets = [TENANT, ...fields.map(columnOf)].join(", ");
  return `INSERT INTO ${tableOf(shape.name)} AS t (${targets}) SELECT * FROM unnest(${arrays})`;
}

function source(
  columns: readonly Column[],
  rows: readonly (readonly Value[])[],
  bound: Parameters,
): string {
  const arrays = arraysOf(
    columns.map(({ type }) => type),
    rows,
    bound,
  );
  return `unnest(${arrays}) WITH ORDINALITY AS v(${columns.map(({ name }) => name).join(", ")}, n)`;
}

function arraysOf(
  types: readonly ("bigint" | "text")[],
  rows: readonly (readonly Value[])[],
  bound: Parameters,
): string {
  return types
    .map((type, place) => bound.add(arrayOf(rows.map((row) => row[place] ?? null)), `${type}[]`))
    .join(", ");
}
