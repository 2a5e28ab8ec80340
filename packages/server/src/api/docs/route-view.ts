import { type Html, html, inline, prose } from "./html.ts";
import { type FieldRow, type Resolve, rowsOf, type Schema, sampleOf, typeOf } from "./shape.ts";

type Media = { readonly schema?: Schema; readonly example?: unknown };
type Content = Readonly<Record<string, Media>>;

/** An operation of the document, as far as it is shown. */
export type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Content }>
  >;
  readonly "x-access"?: string;
  readonly "x-example"?: {
    readonly path?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, string>>;
    readonly body?: object;
  };
};

export type ShownRoute = {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
};

/** One route: what it does, what it takes, how to call it, what comes back. */
export function routeView(resolve: Resolve, shown: ShownRoute): Html {
  const { method, path, operation } = shown;
  const { operationId: id, summary, description } = operation;
  return html`<article id="${id}">
<h3><a href="#${id}">${summary}</a></h3>
<p class="path"><span class="method ${method}">${method.toUpperCase()}</span><code>${path}</code><span class="access">${accessOf(operation)}</span></p>
${prose(description)}
<div class="sides"><div>${takes(resolve, operation)}${errors(operation)}</div>
<div><h4>Request</h4><pre tabindex="0"><code>${curlOf(shown)}</code></pre>${answer(resolve, operation)}</div></div>
</article>`;
}

function accessOf({ "x-access": access }: Operation): Html {
  if (access === undefined) return html`without a key`;
  if (access === "any-key") return html`any key; each command its own scope`;
  if (access === "user-token") return html`a user's token instead of a key`;
  return html`scope <code>${access}</code>`;
}

function takes(resolve: Resolve, { parameters = [], requestBody }: Operation): Html[] {
  const kinds = [
    ["path", "In the path"],
    ["query", "In the query"],
  ] as const;
  const lists = kinds.map(([kind, title]) => {
    const rows = parameters
      .filter((parameter) => parameter.in === kind)
      .map(({ name, required, schema, description }) => ({
        name,
        type: typeOf(resolve, resolve(schema)),
        required: required === true,
        description: description ?? resolve(schema).description ?? "",
      }));
    return fields(title, rows);
  });
  const body = requestBody?.content["application/json"]?.schema;
  return body === undefined ? lists : [...lists, fields("Body", rowsOf(resolve, body))];
}

function fields(title: string, rows: readonly FieldRow[]): Html {
  if (rows.length === 0) return html``;
  const list = rows.map(
    ({ name, type, required, description }) =>
      html`<dt><code>${name}</code><span>${type}</span>${required ? html`<span class="must">required</span>` : undefined}</dt><dd>${inline(description)}</dd>`,
  );
  return html`<h4>${title}</h4><dl>${list}</dl>`;
}

function errors({ responses }: Operation): Html {
  const rows = Object.entries(responses)
    .filter(([status]) => status !== "200")
    .map(
      ([status, { description }]) =>
        html`<tr><td>${status}</td><td>${inline(description)}</td></tr>`,
    );
  if (rows.length === 0) return html``;
  return html`<h4>Refusals</h4><table>${rows}</table>`;
}

function answer(resolve: Resolve, { responses }: Operation): Html {
  const [type, media] = Object.entries(responses["200"]?.content ?? {})[0] ?? [];
  if (media?.schema === undefined) return html``;
  if (type !== "application/json") return html`<h4>Answer 200, <code>${type}</code></h4>`;
  const sample = JSON.stringify(sampleOf(resolve, media.schema), null, 2);
  return html`<h4>Answer 200</h4><pre tabindex="0"><code>${sample}</code></pre>${fields("Fields", rowsOf(resolve, media.schema))}`;
}

/** As it can be pasted into a shell, with the address and the key in variables. */
export function curlOf({ method, path, operation }: ShownRoute): string {
  const { "x-access": access, "x-example": example = {} } = operation;
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(example.path?.[name] ?? name).replaceAll("%3A", ":"),
  );
  const query = new URLSearchParams(example.query).toString().replaceAll("%3A", ":");
  const target = `"$ALDIS_URL${filled}${query === "" ? "" : `?${query}`}"`;
  const needsVerb = method !== "get" && !(method === "post" && example.body !== undefined);
  const lines = [`curl ${needsVerb ? `-X ${method.toUpperCase()} ` : ""}${target}`];
  if (access !== undefined) {
    const variable = access === "user-token" ? "$TOKEN" : "$ALDIS_API_KEY";
    lines.push(`-H "Authorization: Bearer ${variable}"`);
  }
  if (example.body !== undefined) {
    lines.push('-H "Content-Type: application/json"');
    lines.push(`-d '${JSON.stringify(example.body).replaceAll("'", "'\\''")}'`);
  }
  return lines.join(" \\\n  ");
}
