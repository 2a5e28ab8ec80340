import Ajv2020 from "ajv/dist/2020.js";

/** One answer of a gateway's HTTP API, and what it was asked. */
export type Exchange = {
  readonly method: string;
  readonly pathname: string;
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
};

export type Conformance = {
  /** What of an answer is not as the OpenAPI document says; undefined: all is. */
  problemOf(exchange: Exchange): string | undefined;
};

type Operation = { readonly responses: Readonly<Record<string, unknown>> };
type OpenApi = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

/**
 * Judges answers by an OpenAPI 3.1 document: the status must be one that the route documents, the content type and the body
 * what it documents for that status. Fields that the document does not know are problems too. What no route answers must still be
 * in the form of an error.
 */
export function createConformance(documentText: string): Conformance {
  const document = JSON.parse(documentText, closeObjects) as OpenApi;
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, "openapi");
  const paths = Object.entries(document.paths).map(([template, operations]) => ({
    template,
    operations,
    form: new RegExp(`^${template.replace(/[.]/g, "\\.").replace(/\{\w+\}/g, "[^/]+")}$`),
  }));

  function problemOfBody(pointer: string, { text, contentType }: Exchange): string | undefined {
    if (contentType?.split(";")[0]?.trim() !== "application/json") {
      return `its content type is ${contentType}`;
    }
    const judge = ajv.getSchema(`openapi#${pointer}`);
    if (judge === undefined) return `the document has nothing at ${pointer}`;
    return judge(JSON.parse(text)) ? undefined : ajv.errorsText(judge.errors);
  }

  return {
    problemOf(exchange) {
      const { pathname, method, status, text } = exchange;
      // Bun's own refusal of a body far over the limit has none itself (HT1).
      if (status === 413 && text === "") return undefined;
      const path = paths.find(
        ({ form, operations }) => form.test(pathname) && method.toLowerCase() in operations,
      );
      const operation = path?.operations[method.toLowerCase()];
      if (path === undefined || operation === undefined) {
        if (status < 400) return "no route of the document answers there";
        return problemOfBody("/components/schemas/Error", exchange);
      }
      if (!(status in operation.responses)) return `its status ${status} is not documented`;
      const at = [path.template, method.toLowerCase(), "responses", String(status)];
      const steps = ["paths", ...at, "content", "application/json", "schema"];
      return problemOfBody(`/${steps.map(pointerStep).join("/")}`, exchange);
    },
  };
}

/** Answers are held to exactly what is documented, while clients are told to ignore what they do not know. */
function closeObjects(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (!("type" in value) || value.type !== "object" || !("properties" in value)) return value;
  return "additionalProperties" in value ? value : { ...value, additionalProperties: false };
}

/** RFC 6901, inside a URI's fragment. */
function pointerStep(text: string): string {
  return encodeURIComponent(text.replaceAll("~", "~0").replaceAll("/", "~1"));
}
