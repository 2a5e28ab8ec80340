import { createHash } from "node:crypto";
import { ERRORS } from "@aldis/protocol";
import type { OpenApiDocument } from "../openapi.ts";
import { type Html, html, inline, prose } from "./html.ts";
import { type Operation, routeView, type ShownRoute } from "./route-view.ts";
import { createResolve, type Schema } from "./shape.ts";
import { STYLE } from "./style.ts";

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/**
 * Nothing but the page's own style is ever loaded or run (CSP 3 section 8.3), and no page may frame it. The page is plain HTML: it
 * needs no script.
 */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

type Document = {
  readonly info: { readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

/** The document to read: the routes in their groups, each with all that it takes to call it. */
export function renderDocsPage(openApi: OpenApiDocument): string {
  // Made by `createDocument`, whose shape the validator of the tests knows.
  const document = openApi as unknown as Document;
  const resolve = createResolve(document.components.schemas);
  const groups = groupsOf(document);
  const sections = groups.map(
    ({ name, description, routes }) => html`<section id="${anchorOf(name)}">
<h2>${name}</h2><p class="lead">${inline(description)}</p>
${routes.map((route) => routeView(resolve, route))}</section>`,
  );
  return `<!doctype html>\n${
    html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Aldis HTTP API</title>${rawStyle()}</head><body>
<a class="skip" href="#content">To the content</a><div class="frame">${navigation(document, groups)}
<main id="content"><h1>Aldis HTTP API</h1>${prose(document.info.description)}
<h4>For the examples</h4><pre tabindex="0"><code>${SETUP}</code></pre>
<p class="lead">This page is made from <a href="/openapi.json">/openapi.json</a>, an OpenAPI 3.1 document for generators and tools.</p>
${sections}${errorTable()}</main></div></body></html>`.html
  }\n`;
}

const SETUP = `export ALDIS_URL="http://localhost:8965"
export ALDIS_API_KEY="…"   # aldis key makes one`;

/** The one thing that is not text: a constant of this program. */
function rawStyle(): Html {
  return { html: `<style>${STYLE}</style>` };
}

type Group = {
  readonly name: string;
  readonly description: string;
  readonly routes: readonly ShownRoute[];
};

function groupsOf({ tags, paths }: Document): Group[] {
  const routes = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
  );
  return tags.map(({ name, description }) => ({
    name,
    description,
    routes: routes.filter(({ operation }) => operation.tags[0] === name),
  }));
}

function navigation({ info }: Document, groups: readonly Group[]): Html {
  const lists = groups.map(
    ({ name, routes }) =>
      html`<h2>${name}</h2><ul>${routes.map(
        ({ method, operation: { operationId, summary } }) =>
          html`<li><a href="#${operationId}"><span class="method ${method}">${method.toUpperCase()}</span><span>${summary}</span></a></li>`,
      )}</ul>`,
  );
  return html`<nav aria-label="Routes"><strong>Aldis</strong><p class="version">HTTP API ${info.version}</p>${lists}
<h2>Reference</h2><ul><li><a href="#errors">Error codes</a></li></ul></nav>`;
}

function errorTable(): Html {
  const rows = Object.entries(ERRORS).map(
    ([code, { status, temporary, means }]) =>
      html`<tr><td><code>${code}</code></td><td>${status}</td><td>${temporary ? "yes" : "no"}</td><td>${inline(means)}</td></tr>`,
  );
  return html`<section id="errors"><h2>Error codes</h2><p class="lead">All that the gateway answers with, over HTTP and on the WebSocket.</p>
<table><thead><tr><th>Code</th><th>Status</th><th>Temporary</th><th>Meaning</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

function anchorOf(name: string): string {
  return name.toLowerCase().replaceAll(" ", "-");
}
