/** The SDK and the gateway's OpenAPI document are in step. */
import { expect, test } from "bun:test";
import { operationsOf } from "../generate.ts";
import { createBackend } from "../src/index.ts";
import { CALLS } from "./support/calls.ts";
import { currentDocument, TYPES_FILE, typesOf } from "./support/document.ts";

const DOCUMENT = currentDocument();

test("the types are those of the gateway's document; else: bun scripts/openapi-types.ts", async () => {
  const wanted = await typesOf(await DOCUMENT);
  expect((await Bun.file(TYPES_FILE).text()) === wanted).toBe(true);
});

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
