// Between rows and the documents that they are kept as: a field each, under its own name, those that are not there left out.
import type { Document, IndexDescription } from "mongodb";
import type { TenantId } from "../../tenant/tenant.ts";
import type { CollectionShape, IndexShape } from "../collection.ts";
import { columnsOf, recordOf, type Value } from "../row.ts";
import { Refused } from "./errors.ts";

/** What the store keeps for itself; no collection can be called so. */
export const STEPS = "aldis.steps";
export const LOCKS = "aldis.locks";
export const PROBES = "aldis.probes";

/** Apart from what other programs may keep in the same database. */
export function collectionName({ name }: { readonly name: string }): string {
  return `aldis_${name}`;
}

export function documentOf(shape: CollectionShape, tenant: TenantId, row: readonly Value[]) {
  const document: Document = { tenant };
  for (const [place, name] of columnsOf(shape).entries()) {
    const value = row[place];
    if (value !== null && value !== undefined) document[name] = value;
  }
  return document;
}

export function recordIn<R extends object>(shape: CollectionShape, document: Document): R {
  return recordOf<R>(
    shape,
    columnsOf(shape).map((name) => (Object.hasOwn(document, name) ? document[name] : null)),
  );
}

/** What MongoDB takes as one document is 16 MiB; the rest is for names and lengths. */
const DOCUMENT_MAX_BYTES = 16 * 1024 * 1024 - 64 * 1024;

/** About as many bytes as it takes. Throws {@link Refused} for more than MongoDB keeps: with the others of its batch it would be refused as a whole. */
export function bytesOf(document: Document): number {
  const texts = Object.values(document).filter((value) => typeof value === "string");
  const units = texts.reduce((sum, text) => sum + text.length, 0);
  // A unit takes three bytes at most.
  if (3 * units > DOCUMENT_MAX_BYTES) {
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (bytes > DOCUMENT_MAX_BYTES) throw new Refused("a document is larger than 16 MiB");
  }
  return 64 + 8 * Object.keys(document).length + units;
}

/**
 * The indexes of a collection, the tenant first in each (P2). After the fields of one that is not unique come those of the key that it lacks, so that
 * the answers' order is the index's own. Records without a field are left out by a filter: in MongoDB a field that is not there is `null`, and
 * two of these would be the same.
 */
export function indexesOf(shape: CollectionShape): IndexDescription[] {
  return [keyIndex(shape), ...Object.keys(shape.indexes).map((name) => indexOf(shape, name))];
}

function keyIndex({ key }: CollectionShape): IndexDescription {
  return { name: "key", key: ascending(["tenant", ...key]), unique: true };
}

/** Throws for a name that the shape does not have. */
export function indexOf(shape: CollectionShape, name: string): IndexDescription {
  const index = Object.hasOwn(shape.indexes, name) ? shape.indexes[name] : undefined;
  if (index === undefined) throw new Error(`${shape.name} has no index ${name}`);
  const optional = index.fields.filter((field) => shape.fields[field]?.optional);
  return {
    name,
    key: ascending(["tenant", ...indexFields(shape, index)]),
    ...(index.unique && { unique: true }),
    ...(optional.length > 0 && {
      partialFilterExpression: Object.fromEntries(
        optional.map((field) => [field, { $exists: true }]),
      ),
    }),
  };
}

function indexFields({ key }: CollectionShape, { fields, unique }: IndexShape): readonly string[] {
  return unique ? fields : [...fields, ...key.filter((field) => !fields.includes(field))];
}

function ascending(fields: readonly string[]): Record<string, 1> {
  return Object.fromEntries(fields.map((field) => [field, 1 as const]));
}
