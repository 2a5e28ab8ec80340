/** The OpenAPI document itself; that answers are as it says is checked in every test of the API (testkit `http`). */
import { expect, test } from "bun:test";
import { createConformance, startTestGateway } from "@aldis/testkit";
import { Validator } from "@seriousme/openapi-schema-validator";

test("[HT5] /openapi.json is a valid OpenAPI 3.1 document, without a key", async () => {
  await using gateway = await startTestGateway();
  const answer = await fetch(`${gateway.url}/openapi.json`);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json"]);
  const document = (await answer.json()) as Record<string, unknown>;
  expect(document["openapi"]).toBe("3.1.0");
  const verdict = await new Validator().validate(structuredClone(document));
  expect([verdict.valid, verdict.errors]).toEqual([true, undefined]);
});

test("[HT5] every route says what it does, who may call it, and how it refuses", async () => {
  await using gateway = await startTestGateway();
  const document = await (await fetch(`${gateway.url}/openapi.json`)).json();
  const tags = document.tags.map(({ name }: { name: string }) => name);
  const ids = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths)) {
    // biome-ignore lint/suspicious/noExplicitAny: the validator above knows its shape
    for (const [method, operation] of Object.entries(operations as Record<string, any>)) {
      const where = `${method} ${path}`;
      expect([where, operation.summary?.length > 5]).toEqual([where, true]);
      expect([where, operation.description?.length > 20]).toEqual([where, true]);
      expect(tags).toContain(operation.tags[0]);
      expect(Object.keys(operation.responses)).toContain("200");
      if (path.startsWith("/api/")) expect(Object.keys(operation.responses)).toContain("401");
      expect(ids.has(operation.operationId)).toBe(false);
      ids.add(operation.operationId);
    }
  }
  expect(ids.size).toBeGreaterThan(3);
});

test("the check of answers sees what is not as documented", async () => {
  await using gateway = await startTestGateway();
  const document = await (await fetch(`${gateway.url}/openapi.json`)).text();
  const { problemOf } = createConformance(document);
  const right = {
    method: "POST",
    pathname: "/api/publish",
    status: 200,
    contentType: "application/json",
    text: '{"offset":1,"epoch":"e"}',
  };
  expect(problemOf(right)).toBeUndefined();
  for (const wrong of [
    { text: '{"offset":1}' },
    { text: '{"offset":"1","epoch":"e"}' },
    { text: '{"offset":1,"epoch":"e","more":1}' },
    { status: 201 },
    { status: 418 },
    { contentType: "text/plain" },
    { contentType: null },
    { pathname: "/api/nothing" },
    { status: 400 },
    { status: 400, text: '{"error":{"code":"new","message":"","temporary":false}}' },
    { status: 404, pathname: "/api/nothing", text: '{"message":"Not Found"}' },
  ]) {
    expect([wrong, problemOf({ ...right, ...wrong }) !== undefined]).toEqual([wrong, true]);
  }
});

test("[HT5] /docs shows every route, runs nothing, and loads nothing", async () => {
  await using gateway = await startTestGateway();
  const answer = await fetch(`${gateway.url}/docs`);
  const page = await answer.text();
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const policy = answer.headers.get("content-security-policy") ?? "";
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
  const hash = new Bun.CryptoHasher("sha256").update(style).digest("base64");
  expect(policy).toStartWith(`default-src 'none'; style-src 'sha256-${hash}';`);
  expect(page).not.toMatch(
    /<script|<link|<img|<iframe|\son\w+=|\sstyle=|https?:\/\/(?!localhost)/i,
  );
  const document = await (await fetch(`${gateway.url}/openapi.json`)).json();
  for (const [path, operations] of Object.entries(document.paths)) {
    expect([path, page.includes(`<code>${path}</code>`)]).toEqual([path, true]);
    for (const { operationId } of Object.values(operations as Record<string, Operation>)) {
      expect(page.includes(`<article id="${operationId}">`)).toBe(true);
    }
  }
  const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
});

test("[HT5] the example of every route is taken by that route", async () => {
  await using gateway = await startTestGateway();
  const ann = await gateway.connect();
  await ann.must("subscribe", { channel: "chat:lobby" });
  const document = await (await fetch(`${gateway.url}/openapi.json`)).json();
  // biome-ignore lint/suspicious/noExplicitAny: other tests judge the document's shape
  const routes = Object.entries<Record<string, any>>(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({ path, method, operation })),
  );
  for (const { path, method, operation } of routes) {
    const { path: values = {}, query = {}, body } = operation["x-example"] ?? {};
    const key = operation["x-access"] === "user-token" ? await gateway.token() : gateway.apiKey;
    const filled = path.replace(/\{(\w+)\}/g, (_: string, name: string) => values[name] ?? "");
    const search = new URLSearchParams(query).toString();
    const verb = method.toUpperCase();
    if (path === "/metrics") continue;
    const { status } = await gateway.call(verb, `${filled}?${search}`, body, key);
    const isAbsent = filled === "/api/connections/Q1ZqLw9oX7Gk2c0d" || filled.includes("gateway-1");
    const absent = isAbsent ? 404 : 200;
    expect([verb, filled, status]).toEqual([verb, filled, absent]);
  }
});

type Operation = { readonly operationId: string };
