// What may be asked of a collection, checked once for all kinds of database.
import type { CollectionShape, FieldShape } from "./collection.ts";
import { fieldOf, fieldValue, isText, type Value } from "./row.ts";
import type { Conditions, Query } from "./store.ts";

/** More is asked for in pieces. */
export const QUERY_LIMIT_MAX = 10_000;
/** As many records as `getMany` takes. */
export const KEYS_MAX = 1_000;

/** One comparison with a field as it stands. `null` is for a field that is not there; `above` and `below` never hold for that, `not` with a value does. */
export type CheckedCondition = {
  readonly field: string;
  readonly test: "is" | "not" | "above" | "below";
  readonly value: Value;
};

/** A query that an index serves. */
export type CheckedQuery = {
  /** Name of the index, or `key`. */
  readonly index: string;
  /** The first fields of the index, and the values that they have. */
  readonly same: readonly (readonly [field: string, value: Value])[];
  /** The field that `above` and `below` are for; undefined when there are neither. */
  readonly next: string | undefined;
  readonly above: Value | undefined;
  readonly below: Value | undefined;
  /** By these the answer is in order: what is left of the index, then what is left of the key. */
  readonly order: readonly string[];
  readonly descending: boolean;
  /** Optional fields of the index: records without one of them are not in it. */
  readonly present: readonly string[];
  readonly where: readonly CheckedCondition[];
  readonly contains: { readonly field: string; readonly text: string } | undefined;
  readonly limit: number;
};

/** Throws a `TypeError` for what no index serves, or what is not of the fields' kinds. */
export function checkQuery<R extends object>(
  shape: CollectionShape,
  query: Query<R>,
): CheckedQuery {
  const fields = indexFields(shape, query.index);
  const same = sameOf(shape, fields, query.same ?? {});
  const next = nextOf(shape, fields[same.length], query);
  const bound = (value: string | number | undefined) =>
    value === undefined || next === undefined ? undefined : fieldValue(shape, next, value);
  const left = fields.slice(same.length);
  const known = new Set(fields);
  return {
    index: query.index,
    same,
    next,
    above: bound(query.above),
    below: bound(query.below),
    order: [...left, ...shape.key.filter((field) => !known.has(field))],
    descending: orderOf(shape, query.order),
    present: fields.filter((field) => shape.fields[field]?.optional),
    where: checkConditions(shape, query.where),
    contains: containsOf(shape, query.contains),
    limit: limitOf(shape, query.limit),
  };
}

/** The comparisons of `where`, all of which have to hold. Throws a `TypeError`. */
export function checkConditions<R>(
  shape: CollectionShape,
  where: Conditions<R> | undefined,
): readonly CheckedCondition[] {
  if (where === undefined) return [];
  return Object.entries(where).flatMap(([field, condition]) =>
    condition === undefined ? [] : checkCondition(shape, field, condition as object),
  );
}

/** A limit of a list, a count or a sweep. Throws a `TypeError`. */
export function limitOf({ name }: CollectionShape, limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= QUERY_LIMIT_MAX) return limit;
  throw new TypeError(`${name}: a limit is from 1 to ${QUERY_LIMIT_MAX}`);
}

function indexFields(shape: CollectionShape, name: string): readonly string[] {
  if (name === "key") return shape.key;
  const index = Object.hasOwn(shape.indexes, name) ? shape.indexes[name] : undefined;
  if (index === undefined) throw new TypeError(`${shape.name} has no such index`);
  return index.fields;
}

function sameOf(
  shape: CollectionShape,
  fields: readonly string[],
  same: object,
): (readonly [string, Value])[] {
  const values = same as Readonly<Record<string, unknown>>;
  const names = Object.keys(values);
  const first = fields.slice(0, names.length);
  if (!first.every((field) => Object.hasOwn(values, field)) || first.length < names.length) {
    throw new TypeError(`${shape.name}: \`same\` is for the first fields of the index`);
  }
  return first.map((field) => [field, present(shape, field, values[field])]);
}

function nextOf<R>(
  shape: CollectionShape,
  next: string | undefined,
  { above, below }: Query<R>,
): string | undefined {
  if (above === undefined && below === undefined) return undefined;
  if (next !== undefined) return next;
  throw new TypeError(`${shape.name}: no field of the index is left for a range`);
}

function orderOf({ name }: CollectionShape, order: unknown): boolean {
  if (order === undefined || order === "ascending") return false;
  if (order === "descending") return true;
  throw new TypeError(`${name}: an order is \`ascending\` or \`descending\``);
}

function containsOf(
  shape: CollectionShape,
  contains: { readonly field: string; readonly text: string } | undefined,
): CheckedQuery["contains"] {
  if (contains === undefined) return undefined;
  const { field, text } = contains;
  if (fieldOf(shape, field).kind !== "words" || !isText(text)) {
    throw new TypeError(`${shape.name}: \`contains\` is for text in a field of kind \`words\``);
  }
  return { field, text };
}

/** Attack: an object in the place of a value (`{"$ne": 1}`), or a comparison that nobody thought of. */
function checkCondition(
  shape: CollectionShape,
  field: string,
  condition: object,
): CheckedCondition[] {
  const of = fieldOf(shape, field);
  const tests = Object.entries(condition).filter(
    ([test, value]) => value !== undefined || test === "is" || test === "not",
  );
  const names = tests.map(([test]) => test).sort();
  if (!FORMS.has(names.join())) {
    throw new TypeError(
      `${shape.name}: a condition is one of is, not, above, below, or the last two`,
    );
  }
  return tests.map(([test, value]) => ({
    field,
    test: test as CheckedCondition["test"],
    value: comparable(shape, field, { of, value }),
  }));
}

const FORMS: ReadonlySet<string> = new Set(["is", "not", "above", "below", "above,below"]);

/** Of `json` and `words` one may only ask whether they are there. */
function comparable(
  shape: CollectionShape,
  field: string,
  { of, value }: { readonly of: FieldShape; readonly value: unknown },
): Value {
  if (value === undefined) return null;
  if (of.kind === "json" || of.kind === "words") {
    throw new TypeError(`${shape.name}: ${field} cannot be compared`);
  }
  return fieldValue(shape, field, value);
}

function present(shape: CollectionShape, field: string, value: unknown): Value {
  if (value === undefined) throw new TypeError(`${shape.name}: ${field} has no value to be found`);
  return fieldValue(shape, field, value);
}
