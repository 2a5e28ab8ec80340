/** The SDK and the gateway's OpenAPI document are in step. */
import { expect, test } from "bun:test";
import { ERRORS } from "@aldis/protocol";
import { startTestGateway } from "@aldis/testkit";
import { type Document, operationsOf, problemsOf } from "../generate.ts";
import { COMMANDS_MAX, PUBLISHES_MAX } from "../src/areas/pieces.ts";
import { createBackend } from "../src/index.ts";
import { CALLS } from "./support/calls.ts";
import { currentDocument, TYPES_FILE, typesOf } from "./support/document.ts";

/** Those that the SDK takes for a failure of the moment. */
const TEMPORARY = ["internal", "rate_limited", "unavailable"];

const DOCUMENT = currentDocument();

test("the types are those of the gateway's document; else: bun scripts/openapi-types.ts", async () => {
  const wanted = await typesOf(await DOCUMENT);
  expect((await Bun.file(TYPES_FILE).text()) === wanted).toBe(true);
  // A gateway, a generator and a formatter are started: on a busy machine that is seconds.
}, 30_000);

test("every operation of the document is done by a method, and by the right one", async () => {
  const listed = operationsOf(await DOCUMENT);
  const ids = listed.map(({ operation }) => operation.operationId);
  expect(Object.keys(CALLS).toSorted()).toEqual(ids.toSorted());
  for (const { method, path, operation } of listed) {
    const form = new RegExp(`^${path.replaceAll(".", "\\.").replace(/\{\w+\}/g, "[^/]+")}$`);
    const asked: string[] = [];
    const backend = createBackend({
      url: "http://gateway",
      apiKey: "key",
      fetch: async (url, init) => {
        const { pathname } = new URL(url);
        asked.push(`${init.method} ${form.test(pathname) ? path : pathname}`);
        return Response.json({ results: [] });
      },
    });
    await CALLS[operation.operationId as keyof typeof CALLS](backend);
    expect(asked).toEqual([`${method} ${path}`]);
  }
});

test("no operation wants what the SDK does not do: other bodies, other answers, headers", async () => {
  const document = await DOCUMENT;
  expect(problemsOf(document)).toEqual([]);
  const schema = { type: "object" };
  const json = { "application/json": { schema } };
  const odd = (more: object): Document => {
    const operation = { operationId: "x", summary: "", responses: { 200: { content: json } } };
    return { paths: { "/x": { get: { ...operation, ...more } } }, components: { schemas: {} } };
  };
  expect(problemsOf(odd({}))).toEqual([]);
  for (const [more, problem] of [
    [{ responses: { 204: {} } }, "x: 204"],
    [{ responses: { 200: {} } }, "x: no answer"],
    [{ responses: { 200: { content: { "text/html": { schema } } } } }, "x: text/html"],
    [{ responses: { 200: { content: json }, 202: { content: json } } }, "x: 202"],
    [{ requestBody: { content: { "text/plain": { schema } } } }, "x: text/plain"],
    [{ parameters: [{ name: "h", in: "header", schema }] }, "x: a header parameter"],
  ] as const) {
    expect(problemsOf(odd(more))).toContain(problem);
  }
});

test("[HT8] lists are cut into pieces that the gateway takes", async () => {
  await using gateway = await startTestGateway();
  const messages = Array.from({ length: COMMANDS_MAX + 1 }, () => ({ channel: "a", data: 1 }));
  const published = await createBackend(gateway).publishMany(messages);
  expect(published.at(-1)).toMatchObject({ offset: messages.length });
  const channels = Array.from({ length: PUBLISHES_MAX / 10 }, (_, i) => `c${i}`);
  const commands = Array.from({ length: 11 }, () => ({ broadcast: { channels, data: 1 } }));
  const results = await createBackend(gateway).batch(commands);
  expect(results.filter((result) => "error" in result)).toEqual([]);
});

test("which failures are repeated, and which told to have had no effect, is decided for each code", () => {
  const temporary = Object.entries(ERRORS).filter(([, { temporary }]) => temporary);
  // A code more, or one that is temporary now: say in exchange.ts what effect it may have had.
  expect(temporary.map(([code]) => code).toSorted()).toEqual(TEMPORARY);
});
