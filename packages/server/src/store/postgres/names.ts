import { createHash } from "node:crypto";
import type { CollectionShape, FieldShape } from "../collection.ts";

// Names of tables, columns and indexes. They come from shapes that were checked (letters, digits and `_` alone) and are quoted all the same;
// nothing that anybody sends is ever a name.

/** PostgreSQL cuts longer ones off without a word. */
const NAME_MAX = 63;

/** Every table has them by itself. */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set([
  ...["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"],
]);

const PLAIN = /^[a-z_][A-Za-z0-9_]*$/;

export const TENANT = quoted("tenant");

export function tableOf(collection: string): string {
  return quoted(`aldis_${collection}`);
}

export function columnOf(field: string): string {
  // No field ends with `_`.
  return quoted(SYSTEM_COLUMNS.has(field) ? `${field}_` : field);
}

export function indexOf(collection: string, index: string): string {
  const name = `aldis_${collection}_${index}`;
  // Collections `a` with index `b_c`, and `a_b` with index `c`, are not the same.
  const digest = createHash("sha256").update(`${collection}/${index}`).digest("hex").slice(0, 12);
  return quoted(`${name.slice(0, NAME_MAX - digest.length - 1)}_${digest}`);
}

/** Texts are compared by their bytes, whatever the database's language is. */
export function typeOf({ kind }: FieldShape): "bigint" | `text${string}` {
  return kind === "integer" ? "bigint" : `text COLLATE "C"`;
}

/** What a parameter of a field is cast to; with `[]` an array of it. */
export function castOf(shape: CollectionShape, field: string): "bigint" | "text" {
  return shape.fields[field]?.kind === "integer" ? "bigint" : "text";
}

function quoted(name: string): string {
  if (!PLAIN.test(name) || name.length > NAME_MAX) throw new TypeError(`not a name: ${name}`);
  return `"${name}"`;
}
