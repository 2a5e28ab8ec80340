// What is asked of MongoDB. Attack: a value that is an operator (`{"$ne": ""}`). Every value was checked to be text or a number before, and stands
// behind an operator of ours.
import type { Document } from "mongodb";
import type { TenantId } from "../../tenant/tenant.ts";
import type { CheckedCondition, CheckedQuery } from "../check-query.ts";
import type { CollectionShape } from "../collection.ts";
import type { Value } from "../row.ts";

type Part = readonly [field: string, operator: string, value: unknown];

/** All of `parts`. Two for one field stand beside each other; the same comparison twice, one after another. */
function allOf(parts: readonly Part[]): Document {
  // Not an object: a field may be called as what every object has.
  const fields = new Map<string, Map<string, unknown>>();
  const more: Document[] = [];
  for (const [field, operator, value] of parts) {
    const tests = fields.get(field) ?? new Map<string, unknown>();
    fields.set(field, tests);
    if (tests.has(operator)) more.push({ [field]: { [operator]: value } });
    else tests.set(operator, value);
  }
  const all = [...fields].map(([field, tests]) => [field, Object.fromEntries(tests)] as const);
  return { ...Object.fromEntries(all), ...(more.length > 0 && { $and: more }) };
}

/** The record with this key; `values` are in the order of the key's fields. */
export function byKey(
  shape: CollectionShape,
  tenant: TenantId,
  values: readonly Value[],
  where: readonly CheckedCondition[] = [],
): Document {
  return allOf([
    ["tenant", "$eq", tenant],
    ...shape.key.map((field, place): Part => [field, "$eq", values[place]]),
    ...where.map(conditionPart),
  ]);
}

/** The records with one of these keys: those that agree in all but the last field are asked for together. */
export function byKeys(
  shape: CollectionShape,
  tenant: TenantId,
  keys: readonly (readonly Value[])[],
): Document {
  const last = shape.key.length - 1;
  const groups = new Map<string, { first: readonly Value[]; lasts: Value[] }>();
  for (const key of keys) {
    const first = key.slice(0, last);
    const name = JSON.stringify(first);
    const group = groups.get(name) ?? { first, lasts: [] };
    group.lasts.push(key[last] ?? null);
    groups.set(name, group);
  }
  const ofGroup = ({ first, lasts }: { first: readonly Value[]; lasts: readonly Value[] }) =>
    allOf([
      ["tenant", "$eq", tenant],
      ...first.map((value, place): Part => [shape.key[place] ?? "", "$eq", value]),
      [shape.key[last] ?? "", "$in", lasts],
    ]);
  const [only, ...others] = [...groups.values()].map(ofGroup);
  return only !== undefined && others.length === 0 ? only : { $or: [only, ...others] };
}

/** The record that has the same in a unique index as `document`; undefined: that one is not in the index. */
export function bySame(fields: readonly string[], document: Document): Document | undefined {
  if (!fields.every((field) => Object.hasOwn(document, field))) return undefined;
  return allOf(["tenant", ...fields].map((field): Part => [field, "$eq", document[field]]));
}

export function filterOf(tenant: TenantId, query: CheckedQuery): Document {
  const { same, next, above, below, present, where, contains } = query;
  const parts: Part[] = [["tenant", "$eq", tenant]];
  for (const [field, value] of same) parts.push([field, "$eq", value]);
  if (next !== undefined && above !== undefined) parts.push([next, "$gt", above]);
  if (next !== undefined && below !== undefined) parts.push([next, "$lt", below]);
  const compared = new Set(parts.map(([field]) => field));
  // The filter of the index, without which MongoDB would not use it.
  for (const field of present) if (!compared.has(field)) parts.push([field, "$exists", true]);
  parts.push(...where.map(conditionPart));
  if (contains !== undefined) parts.push([contains.field, "$regex", literally(contains.text)]);
  return allOf(parts);
}

export function sortOf(shape: CollectionShape, query: CheckedQuery): Record<string, 1 | -1> {
  const direction = query.descending ? -1 : 1;
  const index = shape.indexes[query.index];
  // After the fields of a unique index there is nothing left to be put in order.
  const fields = index?.unique
    ? query.order.filter((field) => index.fields.includes(field))
    : query.order;
  return Object.fromEntries(fields.map((field) => [field, direction]));
}

/** Behind the record with this key, over all tenants, in order of tenant and key. */
export function behind(shape: CollectionShape, tenant: TenantId, key: readonly Value[]): Document {
  const fields = ["tenant", ...shape.key];
  const values = [tenant, ...key];
  const ways = fields.map((field, place) =>
    allOf([
      ...fields.slice(0, place).map((one, at): Part => [one, "$eq", values[at]]),
      [field, "$gt", values[place]],
    ]),
  );
  return { $or: ways };
}

export function sweepSort(shape: CollectionShape): Record<string, 1> {
  return Object.fromEntries(["tenant", ...shape.key].map((field) => [field, 1 as const]));
}

const OPERATORS = { is: "$eq", not: "$ne", above: "$gt", below: "$lt" } as const;

function conditionPart({ field, test, value }: CheckedCondition): Part {
  if (value === null) return [field, "$exists", test === "not"];
  return [field, OPERATORS[test], value];
}

/** Attack: text that is a pattern, which would find other records or keep the server busy. */
function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|#/-]/g, "\\$&");
}
