// Every setting of the schema as a row: for the reference, for `config show`, for suggestions, and for the test that gets each wrong.
import { z } from "zod";
import { environmentNames } from "./environment.ts";

/** One setting. Steps of `path` are names, `<name>` for any key of a record, `<n>` for any place in a list. */
export type ConfigField = {
  readonly path: readonly string[];
  /** What may stand there, without defaults around it. */
  readonly schema: z.ZodType;
  readonly doc: string;
  readonly unit: string | undefined;
  /** Its value is never shown. */
  readonly secret: boolean;
  /** Undefined: there is none. */
  readonly defaultValue: unknown;
  /** The kind of its section that has it, where there are several. */
  readonly branch: string | undefined;
  /** Variables that set it; none below a record or a list, which are set as a whole. */
  readonly environment: readonly string[];
};

type At = Pick<ConfigField, "path" | "secret" | "branch">;

/** All settings of a schema, in its order; lists and records of objects stand before what is in them. */
export function configFields(schema: z.ZodType): ConfigField[] {
  const fields: ConfigField[] = [];
  collect(schema, { path: [], secret: false, branch: undefined }, fields);
  const variables = [...environmentNames(schema)];
  return fields.map((field) => {
    const name = field.path.join(".");
    const own = variables.filter(([, { path }]) => path.join(".") === name);
    return { ...field, environment: own.map(([variable]) => variable) };
  });
}

function collect(schema: z.ZodType, at: At, fields: ConfigField[]): void {
  const { inner, doc, unit, secret, defaultValue } = peel(schema);
  const here: At = { ...at, secret: at.secret || secret };
  const branches = branchesOf(inner, here);
  const isLeaf = branches.length === 0;
  const isNamed = doc !== undefined && at.path.length > 0;
  if (isLeaf || isNamed) {
    fields.push({ ...here, schema: inner, doc: doc ?? "", unit, defaultValue, environment: [] });
  }
  for (const [child, childAt] of branches) collect(child, childAt, fields);
}

function branchesOf(schema: z.ZodType, at: At): (readonly [z.ZodType, At])[] {
  const below = (step: string): At => ({ ...at, path: [...at.path, step] });
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).map(([key, child]) => [child as z.ZodType, below(key)]);
  }
  if (schema instanceof z.ZodRecord) {
    return [[schema.valueType as z.ZodType, below("<name>")]];
  }
  if (schema instanceof z.ZodArray && isComposite(schema.element as z.ZodType)) {
    return [[schema.element as z.ZodType, below("<n>")]];
  }
  if (schema instanceof z.ZodDiscriminatedUnion) return kindBranches(schema, at);
  if (schema instanceof z.ZodUnion && schema.options.every((option) => isComposite(option))) {
    return schema.options.map((option) => [option as z.ZodType, at]);
  }
  return [];
}

/** The field that tells the kinds apart stands first, once; then what each kind has. */
function kindBranches(union: z.ZodDiscriminatedUnion, at: At): (readonly [z.ZodType, At])[] {
  const { discriminator } = union.def;
  const kinds = union.options.map((option) => {
    const { [discriminator]: literal, ...fields } = (option as z.ZodObject).shape;
    const [kind] = (literal as z.ZodLiteral<string>).values;
    return { kind: String(kind), fields };
  });
  const names = z.enum(kinds.map(({ kind }) => kind)).meta({ doc: "Which of them it is" });
  return [
    [names, { ...at, path: [...at.path, discriminator] }],
    ...kinds.map(
      ({ kind, fields }) => [z.object(fields as z.ZodRawShape), { ...at, branch: kind }] as const,
    ),
  ];
}

function isComposite(schema: unknown): boolean {
  const { inner } = peel(schema as z.ZodType);
  if (inner instanceof z.ZodUnion) return inner.options.every(isComposite);
  return inner instanceof z.ZodObject || inner instanceof z.ZodRecord;
}

type Peeled = {
  readonly inner: z.ZodType;
  readonly doc: string | undefined;
  readonly unit: string | undefined;
  readonly secret: boolean;
  readonly defaultValue: unknown;
};

/** What is told at any of the layers around the kind of value; the outermost counts. */
function peel(schema: z.ZodType): Peeled {
  const meta = (schema.meta() ?? {}) as { doc?: string; unit?: string; secret?: boolean };
  if (!isWrapper(schema)) {
    const { doc, unit, secret = false } = meta;
    return { inner: schema, doc, unit, secret, defaultValue: undefined };
  }
  const within = peel(schema.unwrap() as z.ZodType);
  return {
    inner: within.inner,
    doc: meta.doc ?? within.doc,
    unit: meta.unit ?? within.unit,
    secret: (meta.secret ?? false) || within.secret,
    defaultValue: schema instanceof z.ZodDefault ? schema.def.defaultValue : within.defaultValue,
  };
}

function isWrapper(schema: z.ZodType) {
  return (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodReadonly
  );
}

/** Whether the setting at `path` of a real configuration is this field, or lies below it. */
export function covers(field: ConfigField, path: readonly string[]): boolean {
  if (field.path.length > path.length) return false;
  return field.path.every((step, i) => step === path[i] || step.startsWith("<"));
}

/** What may stand there, in words. */
export function kindOf(schema: z.ZodType): string {
  if (schema instanceof z.ZodNumber) return numberKind(schema);
  if (schema instanceof z.ZodBoolean) return "`true` or `false`";
  if (schema instanceof z.ZodEnum) {
    return `one of ${schema.options.map((option) => `\`${option}\``).join(", ")}`;
  }
  if (schema instanceof z.ZodLiteral) return `\`${[...schema.values].join("`, `")}\``;
  if (schema instanceof z.ZodArray)
    return `list: ${kindOf(peel(schema.element as z.ZodType).inner)}`;
  if (schema instanceof z.ZodRecord || schema instanceof z.ZodObject) return "object";
  if (schema instanceof z.ZodUnion) return unionKind(schema);
  return "text";
}

function numberKind(schema: z.ZodNumber): string {
  const { minValue, maxValue } = schema;
  const from = minValue ?? Number.NEGATIVE_INFINITY;
  const to = maxValue ?? Number.POSITIVE_INFINITY;
  const kind = schema.isInt ? "whole number" : "number";
  if (to >= Number.MAX_SAFE_INTEGER)
    return Number.isFinite(from) ? `${kind} from ${from} on` : kind;
  return `${kind} from ${from} to ${to}`;
}

function unionKind(schema: z.ZodUnion): string {
  const kinds = schema.options.map((option) => kindOf(peel(option as z.ZodType).inner));
  const [first = "", second = ""] = kinds;
  return second === `list: ${first}` ? `${first}, or a list of them` : kinds.join(", or ");
}
