import { expect, test } from "bun:test";
import { FieldError } from "@aldis/protocol";
import { EVENTS } from "./records.ts";
import { ACME, createWorld, OTHER, type TestNode } from "./test/world.ts";

async function codeOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof FieldError ? error.refusal.error : String(error);
}

async function logOf(node: TestNode, endpoint: string) {
  const records = node.context.records(EVENTS);
  return await records.list(ACME, { index: "key", same: { endpoint }, limit: 1_000 });
}

test("[WH1] an endpoint is added, listed, changed and removed; another tenant's is not there", async () => {
  await using world = await createWorld();
  const node = world.node();
  const { endpoint, secret } = await node.add({ types: ["a.b"], headers: { "X-Mine": "secret" } });
  expect(secret).toMatch(/^whsec_/);
  const listed = await node.http<{ endpoints: object[] }>("get", "/api/webhooks");
  expect(listed.endpoints).toMatchObject([
    { endpoint, types: ["a.b"], headers: ["X-Mine"], status: "active" },
  ]);
  expect(JSON.stringify(listed)).not.toContain("secret");
  const params = { endpoint };
  const changed = await node.http("put", "/api/webhooks/{endpoint}", {
    params,
    body: { description: "new" },
  });
  expect(changed).toMatchObject({ types: ["a.b"], description: "new" });
  for (const [method, path, body] of [
    ["get", "/api/webhooks/{endpoint}", {}],
    ["put", "/api/webhooks/{endpoint}", { description: "x" }],
    ["get", "/api/webhooks/{endpoint}/secret", {}],
    ["post", "/api/webhooks/{endpoint}/rotate-secret", {}],
    ["post", "/api/webhooks/{endpoint}/pause", {}],
    ["post", "/api/webhooks/{endpoint}/test", {}],
  ] as const) {
    expect(await codeOf(node.http(method, path, { params, body, of: OTHER }))).toBe("not_found");
  }
  const gone = await node.http("delete", "/api/webhooks/{endpoint}", { params, of: OTHER });
  expect(gone).toEqual({ removed: false });
  expect(await node.http("delete", "/api/webhooks/{endpoint}", { params })).toEqual({
    removed: true,
  });
  expect(await codeOf(node.http("get", "/api/webhooks/{endpoint}", { params }))).toBe("not_found");
});

test("[WH1] two nodes that add at the same time add no more than there may be", async () => {
  await using world = await createWorld({ nodes: 2, config: { endpointsPerTenant: 3 } });
  const asked = Array.from({ length: 8 }, (_, index) => codeOf(world.node(index % 2).add()));
  const codes = await Promise.all(asked);
  expect(codes.filter((code) => code === "limit_reached")).toHaveLength(5);
});

test("[WH2] headers that nobody is shown do not go with an endpoint that moves to another server", async () => {
  await using world = await createWorld();
  const node = world.node();
  const { endpoint } = await node.add({ headers: { Authorization: "secret" } });
  const change = (body: object) =>
    codeOf(node.http("put", "/api/webhooks/{endpoint}", { params: { endpoint }, body }));
  expect(await change({ url: "https://elsewhere.example/hook" })).toBe("bad_request");
  expect(await change({ url: "https://elsewhere.example/hook", headers: {} })).toBe("undefined");
  expect(await change({ url: "https://other.example/hook" })).toBe("undefined");
});

test("[WH2] URLs, types and headers that are none, or that are dangerous, are refused", async () => {
  await using world = await createWorld();
  const node = world.node();
  expect(await codeOf(node.add({ url: "http://receiver.example/" }))).toBe("bad_request");
  for (const body of [
    { types: [] },
    { types: ["Message"] },
    { types: ["a"] },
    { headers: { Host: "inside" } },
    { headers: { "content-LENGTH": "5" } },
    { headers: { "Webhook-Id": "x" } },
    { headers: { "X-A": "a\r\nHost: b" } },
    { headers: { "X A": "a" } },
    { headers: { "X-A": "a", "x-a": "b" } },
    { secret: "whsec_short" },
    { secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
  ]) {
    expect([body, await codeOf(node.add(body))]).not.toContain("undefined");
  }
});

test("[WH3] a former secret lives on for a while beside the new one", async () => {
  await using world = await createWorld({ config: { rotationMs: 1_000 } });
  const node = world.node();
  const { endpoint, secret } = await node.add();
  const params = { endpoint };
  const rotate = "/api/webhooks/{endpoint}/rotate-secret";
  const { secret: second } = await node.http<{ secret: string }>("post", rotate, { params });
  const live = async () => {
    const path = "/api/webhooks/{endpoint}/secret";
    const shown = await node.http<{ secrets: { secret: string }[] }>("get", path, { params });
    return shown.secrets.map((each) => each.secret);
  };
  expect(await live()).toEqual([second, secret]);
  const given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  await node.http("post", rotate, { params, body: { secret: given } });
  expect(await live()).toEqual([given, second]);
  world.clock.advance(1_000);
  expect(await live()).toEqual([given]);
});

test("[WH5] an event is in the log of each endpoint that wants it, once, numbered without gaps", async () => {
  await using world = await createWorld({ nodes: 2 });
  const node = world.node();
  const all = await node.add();
  const chat = await node.add({ types: ["a.b"], namespaces: ["chat"] });
  const { recorder } = node.parts;
  await node.record("1", { type: "a.b", namespace: "chat" });
  await node.record("2", { type: "a.b", namespace: "game" });
  await node.record("3", { type: "a.c", namespace: "chat" });
  expect(recorder.wants(ACME, "a.b", "chat")).toBe(true);
  expect(recorder.wants(OTHER, "a.b", "chat")).toBe(false);
  const later = Array.from({ length: 20 }, (_, i) =>
    world.node(i % 2).record(`${4 + (i >> 1)}`, { type: "a.b" }),
  );
  await Promise.all(later);
  const [first, second] = await Promise.all([all, chat].map((each) => logOf(node, each.endpoint)));
  expect(first?.map(({ seq }) => seq)).toEqual(Array.from({ length: 13 }, (_, i) => i + 1));
  expect(first?.map(({ id }) => Number(id)).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 13 }, (_, i) => i + 1),
  );
  expect(second).toHaveLength(11);
});

test("[WH5] a node that has read nothing yet leaves nothing out; when the store is away, recording fails", async () => {
  await using world = await createWorld();
  const { endpoint } = await world.node().add();
  const fresh = world.start();
  expect(fresh.parts.recorder.wants(ACME, "a.b")).toBe(true);
  world.storeAway = true;
  await expect(fresh.record("1")).rejects.toThrow("away");
  world.storeAway = false;
  await fresh.record("1");
  expect(await logOf(fresh, endpoint)).toHaveLength(1);
  world.storeAway = true;
  expect(fresh.parts.recorder.wants(OTHER, "a.b")).toBe(false);
});

test("[WH5] a disabled endpoint is recorded nothing for; a paused one is", async () => {
  await using world = await createWorld({ nodes: 2 });
  const node = world.node();
  const { endpoint } = await node.add();
  await node.http("post", "/api/webhooks/{endpoint}/pause", { params: { endpoint } });
  await node.record("1");
  await node.parts.endpoints.setStatus(
    ACME,
    endpoint,
    { status: "disabled", why: "gone" },
    async () => {},
  );
  expect(node.parts.recorder.wants(ACME, "a.b")).toBe(false);
  await node.record("2");
  expect(await logOf(node, endpoint)).toHaveLength(1);
});

test("[WH6] the largest members of what is too large are left out, and named", async () => {
  await using world = await createWorld({ config: { eventMaxBytes: 1_024 } });
  const node = world.node();
  const { endpoint } = await node.add();
  await node.record("1", { data: { a: "x".repeat(600), b: "é".repeat(500), c: 1 } });
  const [{ body } = { body: undefined }] = await logOf(node, endpoint);
  expect(body).toEqual({ data: { a: "x".repeat(600), c: 1 }, leftOut: ["b"] });
});
