/** examples/backend-express on a port of its own, with a real gateway. */
import { expect, test } from "bun:test";
import type { AddressInfo } from "node:net";
import { eventually, SECRET, startTestGateway } from "@aldis/testkit";
import { createApp, newOrder, type Shop } from "../../../examples/backend-express/app.ts";
import { introduce } from "../../../examples/backend-express/introduce.ts";
import { servePage } from "../../../examples/backend-express/serve-page.ts";
import { createBackend } from "../src/index.ts";
import { withStore } from "./support/gateway.ts";
import { GATEWAY_SECRET, signedRequest } from "./support/signed.ts";

const ORDER = { id: "42", owner: "ann", state: "open" };

async function startShop(
  gateway: { url: string; apiKey: string },
  { secrets = [GATEWAY_SECRET] }: { readonly secrets?: string[] } = {},
) {
  const faults: unknown[] = [];
  const shop: Shop = {
    backend: createBackend(gateway),
    jwtSecret: SECRET,
    secrets,
    orders: new Map([["42", newOrder("42", "ann")]]),
    here: new Map(),
    onError: (error) => faults.push(error),
  };
  const app = createApp(shop);
  await servePage(app, "https://gateway");
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ shop, faults, url: `http://127.0.0.1:${port}` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("the shop mints tokens that the gateway takes, and what it publishes is seen", async () => {
  await using gateway = await startTestGateway();
  await using shop = await startShop(gateway);
  const { token } = await (await fetch(`${shop.url}/token?user=ann`)).json();
  const backend = createBackend(gateway);
  const capabilities = { "orders:*": ["subscribe", "history"] };
  expect(await backend.tokens.identify(token)).toMatchObject({ user: "ann", capabilities });
  const ann = await gateway.connect({ sub: "ann" });
  await ann.must("subscribe", { channel: "orders:42" });
  const paid = await fetch(`${shop.url}/orders/42/pay`, { method: "POST" });
  expect(await paid.json()).toMatchObject({ state: "paid" });
  expect(await ann.next("message")).toMatchObject({
    data: { channel: "orders:42", event: "changed", data: { id: "42", state: "paid" } },
  });
  await fetch(`${shop.url}/orders/42/pay`, { method: "POST" });
  expect((await backend.history("orders:42").page()).publications).toHaveLength(1);
  expect((await fetch(`${shop.url}/orders/43/pay`, { method: "POST" })).status).toBe(404);
});

test("the shop answers what is signed, and nothing else", async () => {
  await using gateway = await startTestGateway();
  await using shop = await startShop(gateway);
  const ask = async (body: unknown) => {
    const response = await fetch(signedRequest(`${shop.url}/aldis`, body));
    return [response.status, await response.text()];
  };
  const order = { type: "rpc", method: "order", data: { id: "42" } };
  const [status, text] = await ask({ ...order, user: { id: "ann" } });
  expect([status, JSON.parse(String(text))]).toMatchObject([200, { result: ORDER }]);
  expect(String((await ask({ ...order, user: { id: "bo" } }))[1])).toContain("no_order");
  const subscribe = { type: "subscribe", channel: "orders:42" };
  expect(await ask({ ...subscribe, user: { id: "ann" } })).toEqual([200, '{"allow":true}']);
  expect(await ask({ ...subscribe, user: { id: "bo" } })).toEqual([200, '{"allow":false}']);
  const forged = await fetch(`${shop.url}/aldis`, { method: "POST", body: "{}" });
  expect(forged.status).toBe(401);

  const event = (seq: number, type: string) => ({ seq, type, data: { session: "s", user: "ann" } });
  const [came, went] = [event(1, "session.connected"), event(2, "session.disconnected")];
  expect(await ask({ endpoint: "e", events: [came] })).toEqual([204, ""]);
  expect([...shop.shop.here]).toEqual([["s", "ann"]]);
  await ask({ endpoint: "e", events: [came, went] });
  expect([...shop.shop.here]).toEqual([]);
  await ask({ endpoint: "e", events: [came] });
  expect([...shop.shop.here]).toEqual([]);
  expect(shop.faults).toEqual([]);
});

test("the shop introduces itself again and again, and the gateway has one endpoint of it", async () => {
  await using gateway = await withStore({ outbound: { allowPrivate: ["127.0.0.1"] } });
  const backend = createBackend(gateway);
  const secrets: string[] = [];
  await using shop = await startShop(gateway, { secrets });
  for (const word of ["first", "second"]) {
    const secret = `whsec_${btoa(`${word} secret of 24 bytes, or more`)}`;
    secrets.splice(0, 1, secret);
    await introduce(backend, { url: `${shop.url}/aldis`, secret });
  }
  const ann = await gateway.connect({ sub: "ann" });
  const { result } = (await ann.must("rpc", { method: "buy" })) as { result: { id: string } };
  expect(await ann.next("message")).toMatchObject({ data: { event: "ordered", data: result } });
  expect(await ann.must("rpc", { method: "orders" })).toMatchObject({
    result: [{ id: "42" }, result],
  });
  await eventually("the shop to know of ann", () => [...shop.shop.here.values()].includes("ann"));
  expect(await (await fetch(`${shop.url}/here`)).json()).toEqual(["ann"]);
  expect(await backend.webhooks.list()).toHaveLength(1);
  expect(shop.faults).toEqual([]);
});

test("the shop's page and its script, with the client in it, are served", async () => {
  await using gateway = await startTestGateway();
  await using shop = await startShop(gateway);
  const get = async (path: string) => (await fetch(`${shop.url}${path}`)).text();
  expect(await get("/")).toContain('src="/page.js"');
  expect(await get("/page.js")).toContain("wss://gateway/ws");
});

test("[WH1] the gateway's own webhooks reach the shop: who comes and goes, also while secrets change", async () => {
  await using gateway = await withStore({ outbound: { allowPrivate: ["127.0.0.1"] } });
  const { webhooks } = createBackend(gateway);
  const secrets: string[] = [];
  await using shop = await startShop(gateway, { secrets });
  const types = ["session.connected", "session.disconnected"];
  const { endpoint, secret } = await webhooks.create({ url: `${shop.url}/aldis`, types });
  secrets.push(secret);
  const who = () => [...shop.shop.here.values()];
  const ann = await gateway.connect({ sub: "ann" });
  await eventually("the shop to know of ann", () => who().includes("ann"));
  secrets[0] = (await webhooks.rotateSecret(endpoint)).secret;
  const bo = await gateway.connect({ sub: "bo" });
  await eventually("the shop to know of bo", () => who().includes("bo"), 10_000);
  for (const client of [ann, bo]) await client.close();
  await eventually("the shop to know that they went", () => who().length === 0, 10_000);
  expect(shop.faults).toEqual([]);
  await eventually(
    "all to be taken",
    async () => (await webhooks.deliveries(endpoint)).backlog === 0,
  );
  expect(await webhooks.deadLetters.list(endpoint).take()).toEqual([]);
  expect(await webhooks.deadLetters.replay(endpoint)).toEqual({ replayed: 0, more: false });
});

test("[BC1] the gateway's own calls reach the shop: rpc, and who may subscribe and publish", async () => {
  await using gateway = await withStore({ outbound: { allowPrivate: ["127.0.0.1"] } });
  const { backendSettings } = createBackend(gateway);
  const secrets: string[] = [];
  await using shop = await startShop(gateway, { secrets });
  const asked = { namespaces: ["orders"] };
  const url = `${shop.url}/aldis`;
  const { secret = "" } = await backendSettings.set({ url, subscribe: asked, publish: asked });
  secrets.push(secret);
  expect(await backendSettings.get()).toMatchObject({ url, rpc: true, subscribe: asked });

  const ann = await gateway.connect({ sub: "ann" });
  const bo = await gateway.connect({ sub: "bo" });
  const order = { method: "order", data: { id: "42" } };
  expect(await ann.must("rpc", order)).toMatchObject({ result: ORDER });
  expect(await bo.must("rpc", order)).toMatchObject({ error: { code: "no_order" } });
  const unknown = { method: "constructor", data: null };
  expect(await ann.must("rpc", unknown)).toMatchObject({ error: { code: "not_found" } });

  await ann.must("subscribe", { channel: "orders:42" });
  const channel = { channel: "orders:42" };
  expect(await bo.refused("subscribe", channel)).toMatchObject({ code: "forbidden" });
  const forged = { ...channel, data: { state: "paid" } };
  expect(await ann.refused("publish", forged)).toMatchObject({ code: "forbidden" });
  await ann.must("publish", { channel: "chat:lobby", data: "not asked" });

  // Another secret that the shop does not know: it believes nobody.
  await backendSettings.set({ url, subscribe: asked, secret: `whsec_${btoa("x".repeat(32))}` });
  expect(await ann.refused("rpc", order)).toMatchObject({ code: "unavailable" });
  expect(await backendSettings.remove()).toEqual({ removed: true });
  expect(await ann.refused("rpc", order)).toMatchObject({ code: "not_found" });
  expect(shop.faults).toEqual([]);
});
