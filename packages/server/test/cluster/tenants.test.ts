/** Tenants on three nodes over one Redis and one store: what is done on one holds on all, told or not. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import {
  eventually,
  RawClient,
  startRedis,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";
import { SignJWT } from "jose";
import { ADMIN_KEY, adminOf } from "../tenants/with-tenants.ts";

/** `apart`: nodes that share the store, and hear nothing of each other. */
async function startThree(how: "together" | "apart", more: ConfigInput = {}) {
  await using opened = new AsyncDisposableStack();
  const redis = opened.use(await startRedis());
  const folder = await mkdtemp(join(tmpdir(), "aldis-tenants-"));
  opened.defer(() => rm(folder, { recursive: true }));
  const start = (n: number) =>
    startTestGateway({
      config: {
        broker: redis.url,
        redis: { prefix: how === "apart" ? `p${n}` : "aldis" },
        api: { adminKeys: [ADMIN_KEY] },
        store: { url: `sqlite:${join(folder, "aldis.db")}` },
        // Long, where being told is to be enough.
        tenants: { pollMs: how === "apart" ? 500 : 60_000, open: false },
        ...more,
      },
    });
  const all: TestGateway[] = [];
  for (let n = 0; n < 3; n++) all.push(opened.use(await start(n)));
  const [first] = all;
  if (first === undefined) throw new Error("no node");
  const kept = opened.move();
  return { all, first, admin: adminOf(first), [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const publish = { channel: "news:a", data: 1 };

/** What each node answers to the key. */
function statuses(all: readonly TestGateway[], key: string): Promise<number[]> {
  return Promise.all(
    all.map(async (node) => (await node.call("POST", "/api/publish", publish, key)).status),
  );
}

for (const how of ["together", "apart"] as const) {
  const told = how === "together" ? "told over the bus" : "with every message between nodes lost";
  test(`[TN2] a key made on one node opens all, and revoked there none, ${told}`, async () => {
    await using nodes = await startThree(how);
    const { all, admin } = nodes;
    await admin("POST", "/api/tenants", { id: "acme" });
    const { body } = await admin("POST", "/api/tenants/acme/keys", {});
    const has = (status: number) => async () =>
      (await statuses(all, body.key)).every((one) => one === status);
    await eventually("all nodes to know it", has(200));
    expect((await admin("DELETE", `/api/tenants/acme/keys/${body.id}`)).status).toBe(200);
    await eventually("no node to take it", has(401));
  }, 30_000);

  test(`[TN8] clients of a suspended tenant are closed on all nodes, ${told}`, async () => {
    await using nodes = await startThree(how);
    const { all, admin } = nodes;
    await admin("POST", "/api/tenants", { id: "acme" });
    const { body } = await admin("POST", "/api/tenants/acme/keys", {});
    await eventually("all nodes to know it", async () =>
      (await statuses(all, body.key)).every((status) => status === 200),
    );
    const clients = await Promise.all(all.map((node) => node.connect({ tenant: "acme" })));
    await admin("POST", "/api/tenants/acme/suspend");
    const codes = await Promise.all(clients.map(async ({ closed }) => (await closed).code));
    expect(codes).toEqual([4014, 4014, 4014]);
    await eventually("no node to take its key", async () =>
      (await statuses(all, body.key)).every((status) => status === 403),
    );
  }, 30_000);

  test(`[TN9] a removed token secret opens no node, and namespaces hold on all, ${told}`, async () => {
    await using nodes = await startThree(how);
    const { all, admin } = nodes;
    await admin("POST", "/api/tenants", { id: "acme" });
    const { body } = await admin("POST", "/api/tenants/acme/token-secrets");
    const token = await new SignJWT({ sub: "ann", tenant: "acme" })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(body.secret));
    const headers = { authorization: `Bearer ${token}` };
    const verdicts = () =>
      Promise.all(all.map(async (node) => (await node.http("/api/auth/me", { headers })).status));
    await eventually("all to take it", async () => (await verdicts()).every((one) => one === 200));
    await admin("PUT", "/api/namespaces/news", { history: { size: 7 } }, "acme");
    await eventually("all to know the namespace", async () => {
      const lists = all.map((node) => adminOf(node)("GET", "/api/namespaces", undefined, "acme"));
      return (await Promise.all(lists)).every(({ body: { namespaces } }) =>
        namespaces.some((one: never) => (one as { name: string }).name === "news"),
      );
    });
    await admin("DELETE", `/api/tenants/acme/token-secrets/${body.id}`);
    // It is like any other tenant's now, whose tokens this secret signs not.
    await eventually("none to take it", async () => (await verdicts()).every((one) => one === 401));
  }, 30_000);
}

test("[TN10] a tenant that one node has deleted and removed is brought back on none, until one of them creates it anew", async () => {
  await using nodes = await startThree("apart", {
    tenants: { pollMs: 100, open: true },
    session: { resumeMs: 100 },
    namespaces: { default: { history: { ttlMs: 100 } } },
  });
  const { all, admin } = nodes;
  const closeCodes = () =>
    Promise.all(
      all.map(async (node) => {
        const token = await node.token({ tenant: "acme" });
        return (await (await RawClient.open(`${node.wsUrl}?token=${token}`)).closed).code;
      }),
    );
  await admin("POST", "/api/tenants", { id: "acme" });
  const clients = await Promise.all(all.map((node) => node.connect({ tenant: "acme" })));
  await admin("DELETE", "/api/tenants/acme");
  const codes = await Promise.all(clients.map(async ({ closed }) => (await closed).code));
  expect(codes).toEqual([4503, 4503, 4503]);
  await eventually("all to know that nothing is left", async () => {
    const answers = all.map((node) => adminOf(node)("GET", "/api/tenants/acme"));
    return (await Promise.all(answers)).every(({ status }) => status === 404);
  });
  expect(await closeCodes()).toEqual([4503, 4503, 4503]);
  expect((await admin("POST", "/api/tenants", { id: "acme" })).status).toBe(200);
  await eventually("all to know the new one", async () => {
    const answers = all.map((node) => adminOf(node)("GET", "/api/tenants/acme"));
    return (await Promise.all(answers)).every(({ status }) => status === 200);
  });
  await Promise.all(all.map((node) => node.connect({ tenant: "acme" })));
}, 30_000);
