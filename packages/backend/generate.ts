/**
 * What `src/openapi.ts` holds, made of the gateway's OpenAPI document: one entry for each operation, and the schemas that they name.
 * The document is brought into that compact form first; `openapi-typescript` makes types of it.
 */
import openapiTypescript, { astToString, type OpenAPI3 } from "openapi-typescript";

type Schema = Readonly<Record<string, unknown>>;
type Media = { readonly schema?: Schema };
type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
};
type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, Media>> }>
  >;
};
export type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

/** One operation of the document and where it is. */
export type Listed = {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
};

const HEADER = `// Made of the gateway's OpenAPI document by \`bun scripts/openapi-types.ts\`; a test compares the two. Not to be edited.
`;

/** In the order of the document. */
export function operationsOf(document: Document): Listed[] {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
    })),
  );
}

/**
 * What the SDK cannot do, though types of it could be made: each would be found when somebody calls it. Bodies are JSON, parameters are in path and
 * query, and what is answered with 200, JSON or text, is the one answer; 503 besides, as readiness has it, is for the method to take.
 */
export function problemsOf(document: Document): string[] {
  return operationsOf(document).flatMap(({ operation }) => {
    const { operationId, parameters = [], requestBody, responses } = operation;
    const answers = Object.entries(responses).filter(([, { content }]) => !isRefusal(content));
    const types = answers.flatMap(([, { content = {} }]) => Object.keys(content));
    const problems = [
      ...parameters.filter((one) => !PLACES.includes(one.in)).map((one) => `a ${one.in} parameter`),
      ...Object.keys(requestBody?.content ?? {}).filter((type) => type !== JSON_TYPE),
      ...answers.map(([status]) => status).filter((status) => status !== "200" && status !== "503"),
      ...types.filter((type) => type !== JSON_TYPE && type !== "text/plain"),
      ...(responses["200"]?.content === undefined ? ["no answer"] : []),
    ];
    return problems.map((problem) => `${operationId}: ${problem}`);
  });
}

const JSON_TYPE = "application/json";
const PLACES = ["path", "query"];

function isRefusal(content: Readonly<Record<string, Media>> | undefined): boolean {
  return mediaOf(content)?.["$ref"] === "#/components/schemas/Error";
}

/** The text of \`src/openapi.ts\`, not yet formatted. */
export async function generate(document: Document): Promise<string> {
  const listed = operationsOf(document);
  const operations = Object.fromEntries(
    listed.map(({ operation }) => [operation.operationId, schemaOf(operation)]),
  );
  const schemas = { ...document.components.schemas, Operations: objectOf(operations) };
  const compact = {
    openapi: "3.1.0",
    info: { title: "", version: "" },
    paths: {},
    components: { schemas: strip(schemas) },
  };
  const nodes = await openapiTypescript(compact as unknown as OpenAPI3, { silent: true });
  const types = astToString(nodes.filter((node) => "name" in node && isNamed(node.name)));
  const names = Object.keys(document.components.schemas).map(
    (name) => `export type ${name} = components["schemas"]["${name}"];`,
  );
  const routes = listed.map((one) => `${one.operation.operationId}: ${routeOf(one, document)},`);
  return [
    HEADER,
    plain(types).replace("export interface components", "interface components"),
    'export type Operations = components["schemas"]["Operations"];',
    ...names,
    "",
    "/** Where each operation is; `keyed`: its body takes an `idempotencyKey`. */",
    `export const ROUTES = {\n${routes.join("\n")}\n} as const;`,
  ].join("\n");
}

/** Comments without tags: a type says by itself that it is an enumeration. */
function plain(types: string): string {
  return types
    .replace(/^\s*(\/\*\* @enum .*\*\/|\* @enum .*)\n/gm, "")
    .replaceAll("@description ", "");
}

function isNamed(name: unknown): boolean {
  return typeof name === "object" && name !== null && "text" in name && name.text === "components";
}

function schemaOf(operation: Operation): Schema {
  const { summary, parameters = [], requestBody, responses } = operation;
  const fields: Record<string, Schema> = {};
  const optional: string[] = [];
  for (const place of PLACES) {
    const of = parameters.filter((parameter) => parameter.in === place);
    if (of.length === 0) continue;
    const required = of.filter(({ required }) => required === true).map(({ name }) => name);
    const properties = Object.fromEntries(of.map(({ name, schema }) => [name, schema]));
    fields[place] = { type: "object", properties, required };
    if (required.length === 0) optional.push(place);
  }
  const body = mediaOf(requestBody?.content);
  if (body !== undefined) fields["body"] = body;
  const answers = Object.values(responses)
    .filter(({ content }) => !isRefusal(content))
    .map(({ content }) => mediaOf(content))
    .filter((schema) => schema !== undefined);
  fields["answer"] = answers.length === 1 ? (answers[0] ?? {}) : { oneOf: answers };
  return { ...objectOf(fields, optional), description: `${summary}.` };
}

function mediaOf(content: Readonly<Record<string, Media>> | undefined): Schema | undefined {
  return Object.values(content ?? {})[0]?.schema;
}

function objectOf(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", properties, required };
}

const DROPPED = new Set(["example", "examples", "default", "format", "pattern", "title"]);

/** Without what says nothing in a type. Under `properties` every name is a field's. */
function strip(node: unknown, inProperties = false): unknown {
  if (Array.isArray(node)) return node.map((one) => strip(one));
  if (typeof node !== "object" || node === null) return node;
  const kept = Object.entries(node).filter(([key]) => inProperties || !DROPPED.has(key));
  return Object.fromEntries(
    kept.map(([key, value]) => [key, strip(value, !inProperties && key === "properties")]),
  );
}

function routeOf({ method, path, operation }: Listed, document: Document): string {
  const body = resolve(mediaOf(operation.requestBody?.content), document);
  const keyed = Object.hasOwn((body?.["properties"] as object | undefined) ?? {}, "idempotencyKey");
  const parts = [`method: "${method}"`, `path: "${path}"`, ...(keyed ? ["keyed: true"] : [])];
  return `{ ${parts.join(", ")} }`;
}

function resolve(schema: Schema | undefined, document: Document): Schema | undefined {
  const ref = schema?.["$ref"];
  if (typeof ref !== "string") return schema;
  return document.components.schemas[ref.slice("#/components/schemas/".length)];
}
