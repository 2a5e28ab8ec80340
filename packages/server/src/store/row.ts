// Between records and the values that a database keeps of them; the same for every kind of database.
import {
  type CollectionShape,
  type FieldShape,
  INDEX_TEXT_MAX_BYTES,
  TEXT_MAX_LENGTH,
} from "./collection.ts";

/** What one field is kept as: `null` is for a field that is not there; `json` is its JSON text. */
export type Value = string | number | null;

/** The fields of a collection in the order of their columns: that of its shape, in which later ones stand last. */
export function columnsOf(shape: CollectionShape): readonly string[] {
  return Object.keys(shape.fields);
}

/** The values of a record, in the order of {@link columnsOf}. Throws a `TypeError` for what the shape does not take. */
export function rowOf(shape: CollectionShape, record: object): Value[] {
  refuseStrangers(shape, record);
  const row: Value[] = [];
  let units = 0;
  for (const name of columnsOf(shape)) {
    const value = fieldValue(shape, name, valueIn(record, name));
    if (typeof value === "string") units += value.length;
    row.push(value);
  }
  // A unit takes three bytes at most: nearly all records are done with here.
  if (3 * units > INDEX_TEXT_MAX_BYTES) refuseLong(shape, row);
  return row;
}

/** Attack: texts that fit the indexes of one kind of database, and make another one fail. */
function refuseLong(shape: CollectionShape, row: readonly Value[]): void {
  const names = columnsOf(shape);
  for (const { fields } of [{ fields: shape.key }, ...Object.values(shape.indexes)]) {
    const indexed = new Set([...fields, ...shape.key]);
    const texts = row.filter((_, place) => indexed.has(names[place] ?? ""));
    const bytes = texts.reduce<number>((sum, text) => sum + Buffer.byteLength(String(text)), 0);
    if (bytes > INDEX_TEXT_MAX_BYTES) {
      throw new TypeError(`${shape.name}: the texts of an index and the key are too long together`);
    }
  }
}

/** The values of the key's fields, in their order. Throws a `TypeError` if it is not all of the key and nothing else. */
export function keyOf(shape: CollectionShape, key: object): Value[] {
  const stranger = Object.keys(key).find((name) => !shape.key.includes(name));
  if (stranger !== undefined) throw new TypeError(`${shape.name}: ${stranger} is not in the key`);
  return shape.key.map((name) => fieldValue(shape, name, valueIn(key, name)));
}

/** The record that a row was made of. */
export function recordOf<R extends object>(shape: CollectionShape, row: readonly unknown[]): R {
  const record: Record<string, unknown> = {};
  let place = 0;
  for (const name of columnsOf(shape)) {
    const value = row[place++];
    if (value === null || value === undefined) continue;
    record[name] = shape.fields[name]?.kind === "json" ? JSON.parse(String(value)) : value;
  }
  return record as R;
}

/** The fields of a change and their values. Throws a `TypeError` for a field of the key, or one that is not to be had. */
export function changeOf(shape: CollectionShape, change: object): ReadonlyMap<string, Value> {
  refuseStrangers(shape, change);
  const values = new Map<string, Value>();
  for (const name of Object.keys(change)) {
    if (shape.key.includes(name)) {
      throw new TypeError(`${shape.name}: ${name} is in the key, which never changes`);
    }
    values.set(name, fieldValue(shape, name, valueIn(change, name)));
  }
  return values;
}

/** One field's value, or a `TypeError`. */
export function fieldValue(shape: CollectionShape, name: string, value: unknown): Value {
  const field = fieldOf(shape, name);
  if (value === undefined) {
    if (field.optional) return null;
    throw new TypeError(`${shape.name}: ${name} is missing`);
  }
  const kept = keptAs(field, value);
  if (kept === undefined) throw new TypeError(`${shape.name}: ${name} takes no such value`);
  return kept;
}

/** Throws a `TypeError` for a name that is no field; names that every object has are none either. */
export function fieldOf(shape: CollectionShape, name: string): FieldShape {
  const field = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined;
  if (field === undefined) throw new TypeError(`${shape.name} has no field ${name}`);
  return field;
}

function keptAs({ kind }: FieldShape, value: unknown): Value | undefined {
  switch (kind) {
    case "text":
      return isText(value) && value.length <= TEXT_MAX_LENGTH ? value : undefined;
    case "words":
      return isText(value) ? value : undefined;
    case "integer":
      // Not -0: no database keeps it.
      return Number.isSafeInteger(value) ? (value as number) + 0 : undefined;
    case "json":
      return JSON.stringify(value);
    default:
      return kind satisfies never;
  }
}

/** NUL and lone surrogates are not to be had in every database. */
export function isText(value: unknown): value is string {
  return typeof value === "string" && value.isWellFormed() && !value.includes("\0");
}

function refuseStrangers(shape: CollectionShape, record: object): void {
  for (const name of Object.keys(record)) fieldOf(shape, name);
}

function valueIn(record: object, name: string): unknown {
  return Object.hasOwn(record, name) ? (record as Record<string, unknown>)[name] : undefined;
}
