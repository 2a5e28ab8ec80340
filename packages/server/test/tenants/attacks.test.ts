/** What goes wrong around tenants, and who tries to make it go wrong. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFakeClock } from "@aldis/testkit";
import { startWithTenants } from "./with-tenants.ts";

const publish = { channel: "news:a", data: 1 };

/** A folder of its own, for a database that a test looks into. */
async function ownFolder(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "aldis-tenants-"));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

test("[TN1] faults 1: a process died between deleting a tenant and telling it: asked again, it is told", async () => {
  await using own = await ownFolder();
  await using t = await startWithTenants({}, { ...own, clock: createFakeClock() });
  const { key } = await t.tenantWithKey("acme");
  const status = async () => (await t.gateway.call("POST", "/api/publish", publish, key)).status;
  using database = new Database(join(own.folder, "aldis.db"));
  // The gateway may be writing something else.
  database.run("PRAGMA busy_timeout = 5000");
  database.run("UPDATE tenancy_tenants SET status = 'deleted', revision = revision + 1");
  expect(await status()).toBe(200);
  const again = await t.admin("DELETE", "/api/tenants/acme");
  expect([again.status, again.body.status]).toEqual([200, "deleted"]);
  expect(await status()).toBe(401);
  const audit = await t.admin("GET", "/api/audit?tenant=acme&limit=1");
  expect(audit.body.entries[0].action).toBe("tenant.deleted");
  expect((await t.admin("POST", "/api/tenants/acme/suspend")).status).toBe(409);
});

test("[TN1] a tenant that was suspended before it was configured can be resumed", async () => {
  await using own = await ownFolder();
  {
    await using t = await startWithTenants({}, own);
    await t.tenantWithKey("acme");
    await t.admin("POST", "/api/tenants/acme/suspend");
  }
  const key = "key-of-the-configuration-0123456789";
  await using t = await startWithTenants({ api: { keys: [{ key, tenant: "acme" }] } }, own);
  const status = async () => (await t.gateway.call("POST", "/api/publish", publish, key)).status;
  expect(await status()).toBe(403);
  expect((await t.admin("POST", "/api/tenants/acme/resume")).status).toBe(200);
  expect(await status()).toBe(200);
  expect((await t.admin("POST", "/api/tenants/acme/suspend")).status).toBe(409);
});

test("[TN3] a user's token with another tenant in the header is refused, not passed over", async () => {
  await using t = await startWithTenants();
  const token = await t.gateway.token({ tenant: "acme" });
  const status = async (header: Record<string, string>) => {
    const headers = { authorization: `Bearer ${token}`, ...header };
    return (await t.gateway.http("/api/users/ann", { headers })).status;
  };
  const open = await status({});
  expect(open).not.toBe(403);
  expect(await status({ "aldis-tenant": "acme" })).toBe(open);
  for (const tenant of ["beta", "", "~", "acme, beta"]) {
    expect([tenant, await status({ "aldis-tenant": tenant })]).toEqual([tenant, 403]);
    for (const path of ["/api/auth/me", "/api/auth/verify"]) {
      const headers = { authorization: `Bearer ${token}`, "aldis-tenant": tenant };
      expect([path, (await t.gateway.http(path, { headers })).status]).toEqual([path, 403]);
    }
  }
});

const ODD_IDS = ["a%00b", "x".repeat(3_000), "%F0%9F%98%80", "..%2F..", "~"];

test("[TN5] ids that nothing has, whatever is in them, are refused and no faults", async () => {
  await using t = await startWithTenants();
  const { key } = await t.tenantWithKey("acme");
  const answers = ODD_IDS.flatMap((id) => [
    ...["", "/dead", "/deliveries", "/secret"].map((path) =>
      t.gateway.call("GET", `/api/webhooks/${id}${path}`, undefined, key),
    ),
    t.admin("GET", `/api/tenants/${id}/keys`),
    t.admin("POST", `/api/tenants/acme/keys/${id}/rotate`, {}),
    t.admin("DELETE", `/api/tenants/acme/keys/${id}`),
    t.admin("DELETE", `/api/tenants/acme/token-secrets/${id}`),
    t.admin("GET", `/api/audit?tenant=${id}&cursor=${id}`),
  ]);
  const statuses = new Set((await Promise.all(answers)).map(({ status }) => status));
  expect([...statuses].filter((status) => status !== 400 && status !== 404)).toEqual([]);
});

test("[TN2] a key can be replaced for ever: those that have ended make room", async () => {
  const clock = createFakeClock();
  await using t = await startWithTenants({ tenants: { keysMax: 2 } }, { clock });
  let { id } = await t.tenantWithKey("acme");
  for (let times = 0; times < 5; times++) {
    const path = `/api/tenants/acme/keys/${id}/rotate`;
    const { status, body } = await t.admin("POST", path, { overlapMs: 0 });
    expect(status).toBe(200);
    id = body.id;
  }
  expect((await t.admin("POST", "/api/tenants/acme/keys", {})).status).toBe(200);
  expect((await t.admin("POST", "/api/tenants/acme/keys", {})).status).toBe(429);
});

test("[TN2] keys that were made while there could be more of them are listed, so that they can be revoked", async () => {
  await using t = await startWithTenants({ tenants: { keysMax: 3 } });
  await t.tenantWithKey("acme");
  for (let n = 0; n < 2; n++) await t.admin("POST", "/api/tenants/acme/keys", {});
  await using later = await t.again({ tenants: { keysMax: 1 } });
  const { body } = await later.admin("GET", "/api/tenants/acme/keys");
  expect(body.keys).toHaveLength(3);
  expect((await later.admin("POST", "/api/tenants/acme/keys", {})).status).toBe(429);
});
