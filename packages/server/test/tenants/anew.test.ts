/** A tenant that is made anew under the id of one that was deleted has nothing of it. */
import { expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { startWithTenants } from "./with-tenants.ts";

const soon = {
  tenants: { pollMs: 100, usage: { writeMs: 100 } },
  session: { resumeMs: 100 },
  jobs: { pollMs: 100 },
  namespaces: { default: { history: { ttlMs: 100 } } },
  outbound: { allowPrivate: ["127.0.0.1"] },
};

async function removed(t: Awaited<ReturnType<typeof startWithTenants>>, id: string) {
  await t.admin("DELETE", `/api/tenants/${id}`);
  await eventually("it to be removed", async () => {
    return (await t.admin("GET", `/api/tenants/${id}`)).status === 404;
  });
}

test("[TN10] P2: a tenant made anew has no keys, histories, usage, webhooks, backends or namespaces of the former one", async () => {
  await using t = await startWithTenants(soon);
  const { key } = await t.tenantWithKey("acme");
  const call = (method: string, path: string, body?: unknown, by = key) =>
    t.gateway.call(method, path, body, by);
  await t.admin("PUT", "/api/namespaces/news", { history: { size: 7, ttlMs: 100 } }, "acme");
  const url = "http://127.0.0.1:9/";
  expect((await call("POST", "/api/webhooks", { url })).status).toBe(200);
  expect((await call("PUT", "/api/backend", { url })).status).toBe(200);
  for (let n = 0; n < 3; n++) await call("POST", "/api/publish", { channel: "news:a", data: n });
  const ann = await t.gateway.connect({ tenant: "acme" });
  await ann.must("subscribe", { channel: "news:a" });
  await eventually("its usage to be written", async () => {
    const { body } = await call("GET", "/api/usage");
    return body.days.length === 1;
  });
  await removed(t, "acme");
  const anew = await t.tenantWithKey("acme");
  expect((await call("GET", "/api/channels")).status).toBe(401);
  const get = async (path: string) => (await call("GET", path, undefined, anew.key)).body;
  expect((await get("/api/webhooks")).endpoints).toEqual([]);
  expect((await call("GET", "/api/backend", undefined, anew.key)).status).toBe(404);
  expect((await get("/api/channels/news:a/history")).publications ?? []).toEqual([]);
  const { namespaces } = await get("/api/namespaces");
  expect(namespaces.map(({ name }: { name: string }) => name)).not.toContain("news");
  expect((await get("/api/channels")).channels).toEqual([]);
  const { days } = await get("/api/usage");
  expect(days.map(({ messagesIn }: { messagesIn: number }) => messagesIn)).toEqual([0]);
}, 60_000);
