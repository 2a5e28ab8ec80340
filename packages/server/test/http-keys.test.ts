import { expect, test } from "bun:test";
import { startTestGateway, type TestGateway } from "@aldis/testkit";

const HASHED = "a-key-of-which-the-config-holds-the-hash";
const hash = `sha256:${new Bun.CryptoHasher("sha256").update(HASHED).digest("hex")}`;
const KEYS = {
  publish: "key-that-may-only-publish",
  read: "key-that-may-only-read-xx",
  send: "key-that-may-only-send-xx",
  control: "key-that-may-only-control",
  namespaces: "key-for-namespaces-only-x",
  cluster: "key-for-the-cluster-only",
} as const;

function start(): Promise<TestGateway> {
  const scoped = Object.entries(KEYS).map(([scope, key]) => ({
    key,
    scopes: [scope as keyof typeof KEYS],
  }));
  return startTestGateway({ config: { api: { keys: [{ hash, tenant: "acme" }, ...scoped] } } });
}

test("[HT6] a key of which the config holds only the hash opens its tenant; the hash itself opens nothing", async () => {
  await using gateway = await start();
  const body = { channel: "chat:a", data: 1 };
  const ann = await gateway.connect({ tenant: "acme" });
  await ann.must("subscribe", { channel: "chat:a" });
  expect((await gateway.call("POST", "/api/publish", body, HASHED)).status).toBe(200);
  await ann.next("message");
  for (const wrong of [hash, hash.slice("sha256:".length), hash.toUpperCase()]) {
    expect((await gateway.call("POST", "/api/publish", body, wrong)).status).toBe(401);
  }
});

test("[HT6] a scope that a key does not have is 403, and the answer is the same for all", async () => {
  await using gateway = await start();
  const answers = new Set<string>();
  const document = await (await fetch(`${gateway.url}/openapi.json`)).json();
  // biome-ignore lint/suspicious/noExplicitAny: other tests judge the document's shape
  for (const [path, operations] of Object.entries<Record<string, any>>(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const access = operation["x-access"];
      if (!(access in KEYS)) continue;
      for (const [scope, key] of Object.entries(KEYS)) {
        const where = `${method} ${path} with ${scope}`;
        const at = path.replace(/\{\w+\}/g, "x");
        const { status, body } = await gateway.call(method.toUpperCase(), at, undefined, key);
        expect([where, status === 403]).toEqual([where, scope !== access]);
        if (status === 403) answers.add(JSON.stringify(body));
      }
    }
  }
  expect(answers.size).toBe(1);
});

test("[HT6] `*` is all but `cluster`: what a tenant may do stops at the nodes", async () => {
  const key = "a-key-of-a-tenant-for-all";
  const both = { key: `${key}-and-the-nodes`, scopes: ["*" as const, "cluster" as const] };
  const api = { keys: [{ key }, both] };
  await using gateway = await startTestGateway({ config: { api } });
  expect((await gateway.call("GET", "/api/cluster/nodes", undefined, key)).status).toBe(403);
  expect((await gateway.call("GET", "/api/channels", undefined, key)).status).toBe(200);
  const { status, body } = await gateway.call("GET", "/api/cluster/nodes", undefined, both.key);
  expect([status, body.nodes.length]).toEqual([200, 1]);
});

test("[HT6] a short key draws a warning at start that does not show it", async () => {
  const key = "sixteen-chars-xx";
  await using gateway = await startTestGateway({ config: { api: { keys: [{ key }] } } });
  const warned = gateway.logged.filter((line) => line.includes("api.keys.0.key"));
  expect(warned).toHaveLength(1);
  expect(gateway.logged.join()).not.toContain(key);
});
