// What a collection of records looks like: its fields, its key, its indexes. Values, so that every kind of database is set up from the same.
import type { Json } from "@aldis/protocol";

/**
 * What a field holds. `text` is compared byte by byte as UTF-8 and may be in keys and indexes; it has no NUL and no lone surrogate, and at most
 * {@link TEXT_MAX_LENGTH} UTF-16 units. `integer` is a whole number from -(2^53 - 1) to 2^53 - 1. `json` is anything JSON can say, kept exactly as it
 * is, every Unicode surprise included; it cannot be asked for. `words` is text to be searched in, see {@link foldText}: as long as it likes (no
 * NUL, no lone surrogate), without index, asked for by `contains` alone. Of `json` and `words` a condition may ask no more than whether they are there.
 */
export type FieldKind = "text" | "integer" | "json" | "words";

export type FieldShape = { readonly kind: FieldKind; readonly optional: boolean };

export const TEXT_MAX_LENGTH = 1_024;

/**
 * What the texts of an index and of the key take together, as UTF-8: more does not fit the indexes of every database. Three texts of 255 UTF-16
 * units always fit.
 */
export const INDEX_TEXT_MAX_BYTES = 2_400;

/** One field more of an existing collection has to be optional: older records are without it. */
type Field<T> = FieldShape & { readonly type?: T };

export const text = (): Field<string> => ({ kind: "text", optional: false });
export const integer = (): Field<number> => ({ kind: "integer", optional: false });
export const words = (): Field<string> => ({ kind: "words", optional: false });
export const json = <T = Json>(): Field<T> => ({ kind: "json", optional: false });
/** A record may be without it: `undefined`, and to be cleared by setting `undefined`. */
export const optional = <T>({ kind }: Field<T>): Field<T | undefined> => ({ kind, optional: true });

/** A record without one of the fields is not in the index: not found by it, and free of its `unique`. */
export type IndexShape = {
  /** The tenant stands before them by itself. The last one may be used for ranges and order. */
  readonly fields: readonly string[];
  /** Of one tenant no two records agree in all of `fields`. */
  readonly unique?: boolean;
};

export type CollectionShape = {
  /** Lower case letters, digits and `_`; unlike all others in the database, so it starts with the plugin's name. */
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldShape>>;
  /** Fields that together name a record within its tenant. They never change. */
  readonly key: readonly string[];
  /** By name. The key has an index by itself, called `key`. */
  readonly indexes: Readonly<Record<string, IndexShape>>;
  /** The last field of the key, in a collection of logs: the store counts it from 1 within the rest of the key, see `append`. */
  readonly counted?: string;
};

/** A shape with the type of its records. */
export type Collection<R extends object> = CollectionShape & { readonly record?: R };

type Fields = Readonly<Record<string, Field<unknown>>>;
type TypeOf<F> = F extends Field<infer T> ? T : never;
type OptionalNames<F extends Fields> = {
  [N in keyof F]: undefined extends TypeOf<F[N]> ? N : never;
}[keyof F];
/** The record that fields make. */
export type RecordOf<F extends Fields> = {
  readonly [N in Exclude<keyof F, OptionalNames<F>>]: TypeOf<F[N]>;
} & { readonly [N in OptionalNames<F>]?: TypeOf<F[N]> };

/**
 * Says what a collection looks like. Throws a `TypeError` for a shape that no database can be set up from: a fault of whoever wrote it, seen at
 * start. Fields called `tenant` are refused: the tenant is in every record and every index by itself, so that no query can leave it out (P2).
 */
export function defineCollection<F extends Fields>(shape: {
  readonly name: string;
  readonly fields: F;
  readonly key: readonly (keyof F & string)[];
  readonly indexes?: Readonly<
    Record<string, { readonly fields: readonly (keyof F & string)[]; readonly unique?: boolean }>
  >;
  readonly counted?: keyof F & string;
}): Collection<RecordOf<F>> {
  const { name, fields, key, indexes = {}, counted } = shape;
  const whole: CollectionShape = { name, fields, key, indexes, ...(counted && { counted }) };
  const problem = problemOf(whole);
  if (problem !== undefined) throw new TypeError(`collection ${name}: ${problem}`);
  return whole;
}

const NAME = /^[a-z][a-z0-9_]{0,47}$/;
/** A field is a column as it is called: camel case is kept. */
const FIELD_NAME = /^[a-z][A-Za-z0-9]{0,47}$/;

/** What databases keep for themselves, and what the store keeps beside the collections. */
const RESERVED = /^(aldis|sqlite|pg|system)_/;

/** What is wrong with a shape; undefined: nothing. */
export function problemOf(shape: CollectionShape): string | undefined {
  return problemOfNames(shape) ?? problemOfKeys(shape);
}

function problemOfNames({ name, fields }: CollectionShape): string | undefined {
  if (!NAME.test(name)) return "its name has lower case letters, digits and `_`";
  if (RESERVED.test(name)) return "names that begin so are reserved";
  // Not every database tells `userId` from `userid`.
  const known = new Set(["tenant"]);
  for (const field of Object.keys(fields)) {
    if (!FIELD_NAME.test(field) || known.has(field.toLowerCase())) {
      return `no field may be called ${field}`;
    }
    known.add(field.toLowerCase());
  }
  return undefined;
}

function problemOfKeys({ fields, key, indexes, counted }: CollectionShape): string | undefined {
  if (key.length === 0 || key.some((field) => fields[field]?.optional !== false)) {
    return "its key is of fields that every record has";
  }
  if (counted !== undefined && (key.at(-1) !== counted || fields[counted]?.kind !== "integer")) {
    return "what is counted is the last field of the key, an integer";
  }
  const lists = [key, ...Object.values(indexes).map((index) => index.fields)];
  if (lists.some((list) => list.length === 0 || new Set(list).size < list.length)) {
    return "a key or an index has each of its fields once";
  }
  const indexed = [...key, ...Object.values(indexes).flatMap((index) => index.fields)];
  const unfit = indexed.find((field) => !isIndexable(fields[field]));
  if (unfit !== undefined) return `${unfit} cannot be in a key or an index`;
  return Object.keys(indexes).every((index) => NAME.test(index) && index !== "key")
    ? undefined
    : "an index has lower case letters, digits and `_`, and is not called `key`";
}

function isIndexable(field: FieldShape | undefined): boolean {
  return field?.kind === "text" || field?.kind === "integer";
}
