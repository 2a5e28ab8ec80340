import { describe, expect, test } from "bun:test";
import { z } from "zod";
import { configReference } from "./describe.ts";
import { type ConfigField, configFields } from "./fields.ts";
import { loadConfig } from "./load.ts";
import { configSchema } from "./schema.ts";

const fields = configFields(configSchema);
const nameOf = ({ path, branch }: ConfigField) => `${path.join(".")} ${branch ?? ""}`.trim();

/** What is nothing of its kind, and what is of its kind and out of its bounds. */
function wrongValues(schema: z.ZodType): unknown[] {
  if (schema instanceof z.ZodNumber) return ["many", null, ...outside(schema)];
  if (schema instanceof z.ZodBoolean) return ["maybe", 1];
  if (schema instanceof z.ZodEnum || schema instanceof z.ZodLiteral) return ["no such thing", 42];
  if (schema instanceof z.ZodString) return [42, {}, ...wrongTexts(schema)];
  if (schema instanceof z.ZodUnion) return [42, []];
  return [42, "no such thing"];
}

function outside({ minValue, maxValue, isInt }: z.ZodNumber): number[] {
  const values = isInt ? [1.5] : [];
  if (minValue !== null && Number.isFinite(minValue)) values.push(minValue - 1);
  if (maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER) values.push(maxValue + 1);
  return values;
}

function wrongTexts({ minLength, maxLength }: z.ZodString): string[] {
  return [
    ...(minLength === null ? [] : ["x".repeat(minLength - 1)]),
    ...(maxLength === null ? [] : ["x".repeat(maxLength + 1)]),
  ];
}

/** A file in which `value` stands at the field, and the path under which that is told. */
function fileWith({ path, branch }: ConfigField, value: unknown) {
  let node = value;
  for (const [i, step] of [...path.entries()].reverse()) {
    if (step === "<n>") node = [node];
    else node = { [step === "<name>" ? "some" : step]: node };
    // The kind stands beside the field, one level below `auth`.
    if (branch !== undefined && i === 2) node = { ...(node as object), kind: branch };
  }
  const told = path.map((step) => ({ "<n>": "0", "<name>": "some" })[step] ?? step);
  return { file: node, told: told.join(".") };
}

describe("every setting", () => {
  const cases = fields.flatMap((field) =>
    wrongValues(field.schema).map((value) => [nameOf(field), value, field] as const),
  );

  test("there are some, each once, and each has its meaning", () => {
    expect(fields.length).toBeGreaterThan(90);
    expect(new Set(fields.map(nameOf)).size).toBe(fields.length);
    expect(fields.filter(({ doc }) => doc === "").map(nameOf)).toEqual([]);
    expect(cases.length).toBeGreaterThan(fields.length * 2);
  });

  test.each(cases)("%s is refused as %j, and named", (_, value, field) => {
    const { file, told } = fileWith(field, value);
    const loaded = loadConfig({ file });
    const paths = loaded.ok ? [] : loaded.problems.map(({ path }) => path);
    expect(paths.filter((path) => path === told || path.startsWith(`${told}.`))).not.toEqual([]);
  });

  test.each(fields.flatMap((field) => field.environment.map((name) => [name, field] as const)))(
    "%s is told by its name when its value is wrong",
    (name, { path, schema }) => {
      // Any text is a text.
      const isText = schema instanceof z.ZodString || schema instanceof z.ZodUnion;
      const loaded = loadConfig({ environment: { [name]: isText ? "" : "{]" } });
      const problems = loaded.ok ? [] : loaded.problems;
      if (isText && problems.length === 0) return;
      expect(problems.map((problem) => problem.path.startsWith(path.join(".")))).toContain(true);
      expect(problems.map(({ message }) => message).join("\n")).toContain(name);
    },
  );

  test("all wrong at once are told at once", () => {
    const numbers = fields.filter(
      ({ schema, path }) => schema instanceof z.ZodNumber && !path.some((s) => s.startsWith("<")),
    );
    const environment = Object.fromEntries(
      numbers.map(({ environment: [name = ""] }) => [name, "many"]),
    );
    const loaded = loadConfig({ environment });
    const told = new Set(loaded.ok ? [] : loaded.problems.map(({ path }) => path));
    expect(numbers.filter(({ path }) => !told.has(path.join("."))).map(nameOf)).toEqual([]);
  });
});

test("docs/reference/config.md is what the schema says: make it with `aldis config docs`", async () => {
  const page = new URL("../../../../docs/reference/config.md", import.meta.url);
  expect(await Bun.file(page).text()).toBe(configReference());
});
