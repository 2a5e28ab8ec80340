/** Retries over a real server that breaks off: what was done is done once, and what cannot be repeated safely is not. */
import { expect, test } from "bun:test";
import { freePort, startTestGateway } from "@aldis/testkit";
import { AldisError, createBackend } from "../src/index.ts";
import { startFlakyProxy } from "./support/flaky.ts";
import { withStore } from "./support/gateway.ts";

test("P4: a publish whose answers are lost is sent again under one key and published once", async () => {
  await using gateway = await startTestGateway();
  await using proxy = await startFlakyProxy(gateway.url);
  const backend = createBackend({ url: proxy.url, apiKey: gateway.apiKey });
  proxy.dropAnswers(2);
  expect(await backend.publish("chat:lobby", "once")).toMatchObject({ offset: 1, duplicate: true });
  expect(proxy.seen.length).toBe(3);
  expect(new Set(proxy.seen.map(({ body }) => body)).size).toBe(1);
  const { publications } = await backend.history("chat:lobby").page();
  expect(publications.map(({ data }) => data)).toEqual(["once"]);
});

test("P4: so is one whose answer does not come in time", async () => {
  await using gateway = await startTestGateway();
  await using proxy = await startFlakyProxy(gateway.url);
  const backend = createBackend({ url: proxy.url, apiKey: gateway.apiKey });
  proxy.swallowAnswers(2);
  const published = await backend.publish("chat:lobby", "once", { timeoutMs: 300 });
  expect(published).toMatchObject({ offset: 1, duplicate: true });
  expect((await backend.history("chat:lobby").page()).publications).toHaveLength(1);
});

test("[HT1] messages that are large together are published all the same, and one too large is refused", async () => {
  await using gateway = await startTestGateway();
  const backend = createBackend({ url: gateway.url, apiKey: gateway.apiKey });
  const data = "x".repeat(60_000);
  const messages = Array.from({ length: 100 }, () => ({ channel: "chat:large", data }));
  const results = await backend.publishMany(messages);
  expect(results.map((result) => "offset" in result && result.offset)).toEqual(
    messages.map((_, i) => i + 1),
  );
  for (const size of [200_000, 1_500_000, 2_500_000]) {
    const failure = backend.publish("a", "x".repeat(size));
    expect(await failure.catch((error: unknown) => error)).toMatchObject({ code: "too_large" });
  }
});

test("P4: so are batches of publishes, chat messages and notifications", async () => {
  await using gateway = await withStore();
  await using proxy = await startFlakyProxy(gateway.url);
  const backend = createBackend({ url: proxy.url, apiKey: gateway.apiKey });
  proxy.dropAnswers(1);
  await backend.publishMany([
    { channel: "a", data: 1 },
    { channel: "a", data: 2 },
  ]);
  expect((await backend.history("a").page()).publications.length).toBe(2);
  proxy.dropAnswers(1);
  expect(await backend.chat.send("lobby", { user: "ann", text: "hi" })).toMatchObject({ seq: 1 });
  expect((await backend.chat.history("lobby").page()).top).toBe(1);
  proxy.dropAnswers(1);
  await backend.notifications.send({ user: "ann", title: "one" });
  expect(await backend.notifications.unreadCount("ann")).toBe(1);
});

test("what takes no key and is not the same twice is not sent again", async () => {
  await using gateway = await startTestGateway();
  await using proxy = await startFlakyProxy(gateway.url);
  const backend = createBackend({ url: proxy.url, apiKey: gateway.apiKey });
  proxy.dropAnswers(1);
  const failure = await backend.users.send("ann", "hello").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(AldisError);
  expect(failure).toMatchObject({ code: "network", temporary: true, effect: "unknown" });
  expect(proxy.seen.length).toBe(1);
  proxy.dropAnswers(1);
  const batch = backend.batch([{ send: { user: "ann", data: 1 } }]);
  expect(await batch.catch((error: unknown) => error)).toMatchObject({ code: "network" });
  expect(proxy.seen.length).toBe(2);
});

test("a refusal that says nothing was done is tried again, after the time that it names", async () => {
  await using gateway = await startTestGateway();
  await using proxy = await startFlakyProxy(gateway.url);
  const backend = createBackend({ url: proxy.url, apiKey: gateway.apiKey });
  const error = { code: "rate_limited", message: "", temporary: true, retryAfterMs: 5 };
  const json = { "content-type": "application/json" };
  proxy.answer(2, 429, json, JSON.stringify({ error }));
  expect(await backend.users.send("ann", "hello")).toEqual({ delivered: 0 });
  expect(proxy.seen.length).toBe(3);
  // Of a proxy in front: nobody knows.
  proxy.answer(1, 502, { "content-type": "text/html" }, "<h1>Bad gateway</h1>");
  expect(await backend.users.send("ann", 1).catch((e: unknown) => e)).toMatchObject({
    code: "bad_answer",
    status: 502,
    temporary: true,
  });
  proxy.answer(1, 502, { "content-type": "text/html" }, "<h1>Bad gateway</h1>");
  expect(await backend.publish("a", 1)).toMatchObject({ offset: 1 });
});

test("what is refused for good is told at once", async () => {
  await using gateway = await startTestGateway();
  await using proxy = await startFlakyProxy(gateway.url);
  const backend = createBackend({ url: proxy.url, apiKey: gateway.apiKey });
  const failure = await backend.publish("no spaces", 1).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "bad_channel", status: 400, temporary: false });
  expect(proxy.seen.length).toBe(1);
});

test("a gateway that is not there is tried again even for what is not repeated: nothing was sent", async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const backend = createBackend({ url, apiKey: "key", retries: 1 });
  const failure = await backend.users.send("ann", 1).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "network", effect: "none", status: undefined });
});

test("attack: a redirect is not followed, so that the key goes nowhere else", async () => {
  await using gateway = await startTestGateway();
  await using thief = await startFlakyProxy(gateway.url);
  await using proxy = await startFlakyProxy(gateway.url);
  const backend = createBackend({ url: proxy.url, apiKey: gateway.apiKey });
  proxy.answer(1, 307, { location: `${thief.url}/api/publish` }, "");
  const failure = await backend.publish("a", 1).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "bad_answer", status: 307, temporary: false });
  expect(thief.seen).toEqual([]);
});
