import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { eventually, RawClient } from "@aldis/testkit";
import { startWithTenants } from "./with-tenants.ts";

const soon = {
  tenants: { pollMs: 100 },
  session: { resumeMs: 100 },
  jobs: { pollMs: 100 },
  namespaces: { default: { history: { ttlMs: 100 } } },
};

/** Tables that hold anything of a tenant. */
function tablesWith(path: string, tenant: string): string[] {
  using database = new Database(path, { readonly: true });
  const tables = database
    .query<{ name: string }, []>("SELECT name FROM sqlite_master WHERE type = 'table'")
    .all();
  return tables
    .map(({ name }) => name)
    .filter((name) => {
      const columns = database.query<{ name: string }, []>(`PRAGMA table_info(${name})`).all();
      if (!columns.some((column) => column.name === "tenant")) return false;
      return database.query(`SELECT 1 FROM ${name} WHERE tenant = ? LIMIT 1`).get(tenant) !== null;
    });
}

test("[TN10] all that was kept of a deleted tenant is removed, nothing of another's, and then its id is free", async () => {
  await using t = await startWithTenants(soon);
  for (const id of ["acme", "beta"]) {
    const { key } = await t.tenantWithKey(id);
    await t.admin("POST", `/api/tenants/${id}/token-secrets`);
    await t.admin("PUT", "/api/namespaces/news", { history: { size: 3, ttlMs: 100 } }, id);
    const note = { user: "ann", title: "t" };
    expect((await t.gateway.call("POST", "/api/notifications", note, key)).status).toBe(200);
  }
  const before = tablesWith(t.path, "beta");
  expect(before.length).toBeGreaterThan(3);
  const deleted = await t.admin("DELETE", "/api/tenants/acme");
  expect(deleted.body.freeAt).toBeGreaterThan(deleted.body.changedAt);
  expect((await t.admin("POST", "/api/tenants", { id: "acme" })).status).toBe(409);
  await eventually("it to be removed", async () => {
    return (await t.admin("GET", "/api/tenants/acme")).status === 404;
  });
  expect(tablesWith(t.path, "acme")).toEqual([]);
  expect(tablesWith(t.path, "beta")).toEqual(expect.arrayContaining(before));
  const { body } = await t.admin("GET", "/api/audit?tenant=acme&limit=1");
  expect(body.entries[0]).toMatchObject({ action: "tenant.removed", by: { key: "gateway" } });
  expect((await t.admin("POST", "/api/tenants", { id: "acme" })).status).toBe(200);
  expect((await t.admin("GET", "/api/tenants/acme/keys")).body.keys).toEqual([]);
}, 60_000);

const publish = { channel: "news:a", data: 1 };

test("[TN10] faults 29: a deleted tenant's tokens that are still good bring it back nowhere, also after a restart, until it is created anew, empty", async () => {
  await using t = await startWithTenants(soon);
  const { key } = await t.tenantWithKey("acme");
  // Signed by the shared secret, as all tokens of tenants are that have none of their own.
  const token = await t.gateway.token({ tenant: "acme" });
  const ann = await RawClient.connect(`${t.gateway.wsUrl}?token=${token}`);
  await t.admin("DELETE", "/api/tenants/acme");
  expect((await ann.closed).code).toBe(4503);
  const isRemoved = async () => (await t.admin("GET", "/api/tenants/acme")).status === 404;
  await eventually("it to be removed", isRemoved);
  await using again = await t.again();
  for (const node of [t, again]) {
    const { gateway, admin } = node;
    // A client without an SDK, which does not care for the code that it is closed with.
    for (let tries = 0; tries < 3; tries++) {
      const raw = await RawClient.open(`${gateway.wsUrl}?token=${token}`);
      expect((await raw.closed).code).toBe(4503);
    }
    const headers = { authorization: `Bearer ${token}` };
    expect((await gateway.http("/api/users/ann", { headers })).status).toBe(401);
    expect((await gateway.call("POST", "/api/publish", publish, key)).status).toBe(401);
    expect((await admin("POST", "/api/publish", publish, "acme")).status).toBe(404);
    const { status, body } = await admin("GET", "/api/tenants/acme");
    expect([status, body.error.message]).toEqual([404, expect.stringContaining("was deleted")]);
    expect((await admin("DELETE", "/api/tenants/acme")).status).toBe(404);
    expect((await admin("POST", "/api/tenants/acme/resume")).status).toBe(404);
    expect((await admin("PUT", "/api/tenants/acme", { name: "x" })).status).toBe(404);
    expect((await admin("POST", "/api/tenants/acme/keys", {})).status).toBe(404);
  }
  expect((await again.admin("POST", "/api/tenants", { id: "acme" })).status).toBe(200);
  const back = await RawClient.connect(`${again.gateway.wsUrl}?token=${token}`);
  expect(await back.must("subscribe", { channel: "news:a" })).toBeObject();
  expect((await again.gateway.call("POST", "/api/publish", publish, key)).status).toBe(401);
}, 60_000);

test("[TN10] a removal goes on where another gateway takes over", async () => {
  await using t = await startWithTenants({ ...soon, jobs: { queues: [] } });
  await t.tenantWithKey("acme");
  await t.admin("DELETE", "/api/tenants/acme");
  expect(tablesWith(t.path, "acme")).not.toEqual([]);
  await t.gateway[Symbol.asyncDispose]();
  await using again = await t.again(soon);
  await eventually("it to be removed", async () => {
    return (await again.admin("GET", "/api/tenants/acme")).status === 404;
  });
  expect(tablesWith(t.path, "acme")).toEqual([]);
}, 60_000);
