// What a reader wants to know of a schema: its fields in rows, and how a value of it looks.

export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly example?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
};

export type FieldRow = {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  readonly description: string;
};

export type Resolve = (schema: Schema) => Schema;

/** Follows references into the document's components. */
export function createResolve(schemas: Readonly<Record<string, Schema>>): Resolve {
  const resolve: Resolve = (schema) => {
    const name = schema.$ref?.split("/").at(-1);
    const target = name === undefined ? undefined : schemas[name];
    return target === undefined ? schema : { ...resolve(target), ...describedBy(schema) };
  };
  return resolve;
}

/** What stands beside a reference goes before what it refers to. */
function describedBy({ description }: Schema): Schema {
  return description === undefined ? {} : { description };
}

const DEPTH_MAX = 3;

/** Fields of an object, those of objects within it by their paths. */
export function rowsOf(resolve: Resolve, schema: Schema, prefix = "", depth = 0): FieldRow[] {
  const { properties = {}, required = [], anyOf } = resolve(schema);
  if (anyOf !== undefined && Object.keys(properties).length === 0) {
    const [first] = anyOf;
    return first === undefined ? [] : rowsOf(resolve, first, prefix, depth);
  }
  return Object.entries(properties).flatMap(([key, unresolved]) => {
    const field = resolve(unresolved);
    const name = `${prefix}${key}`;
    const row: FieldRow = {
      name,
      type: typeOf(resolve, field),
      required: required.includes(key),
      description: field.description ?? "",
    };
    const inner = field.items === undefined ? field : resolve(field.items);
    if (depth >= DEPTH_MAX || inner.properties === undefined) return [row];
    const path = field.items === undefined ? `${name}.` : `${name}[].`;
    return [row, ...rowsOf(resolve, inner, path, depth + 1)];
  });
}

export function typeOf(resolve: Resolve, schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if (schema.items !== undefined) return `list of ${typeOf(resolve, resolve(schema.items))}`;
  if (schema.anyOf !== undefined) return "one of several";
  const types = [schema.type ?? []].flat().filter((type) => type !== "null");
  return [types.join(" or ") || "any JSON", boundsOf(schema)].filter(Boolean).join(", ");
}

function boundsOf(schema: Schema): string {
  const { minimum: min, maximum: max, minLength, maxLength } = schema;
  if (maxLength !== undefined) return `${minLength ?? 0} to ${maxLength} characters`;
  if (max === undefined || max >= Number.MAX_SAFE_INTEGER) {
    return min === undefined ? "" : `from ${min}`;
  }
  return `${min ?? 0} to ${max}`;
}

/** A value as it may look, out of examples and defaults. */
export function sampleOf(resolve: Resolve, unresolved: Schema, depth = 0): unknown {
  const schema = resolve(unresolved);
  if (schema.example !== undefined) return schema.example;
  if (schema.properties !== undefined) {
    const required = new Set(schema.required ?? []);
    const shown = Object.entries(schema.properties).filter(([name]) => required.has(name));
    const all = shown.length > 0 ? shown : Object.entries(schema.properties);
    if (depth > DEPTH_MAX) return {};
    return Object.fromEntries(all.map(([name, one]) => [name, sampleOf(resolve, one, depth + 1)]));
  }
  const [first] = schema.anyOf ?? [];
  if (first !== undefined) return sampleOf(resolve, first, depth);
  if (schema.default !== undefined) return schema.default;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.items !== undefined) return [sampleOf(resolve, schema.items, depth + 1)];
  return SAMPLES[[schema.type ?? []].flat()[0] ?? ""] ?? { text: "Hello" };
}

const SAMPLES: Readonly<Record<string, unknown>> = {
  string: "…",
  integer: 1,
  number: 1,
  boolean: true,
  object: {},
};
