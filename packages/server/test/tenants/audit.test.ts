/** What whoever holds a key changes is in the audit: which key, whether it acted for the tenant, and never a secret. */
import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { type AdminCall, startWithTenants } from "./with-tenants.ts";

const config = { outbound: { allowPrivate: ["127.0.0.1"] } };
const url = "http://127.0.0.1:9/hook?token=hush";

type Entry = {
  readonly action: string;
  readonly by: object;
  readonly subject: string;
  readonly tenant: string;
};

async function entriesOf(admin: AdminCall, query = "?tenant=acme"): Promise<readonly Entry[]> {
  return (await admin("GET", `/api/audit${query}`)).body.entries;
}

test("[TN6] webhooks, backends and namespaces that a tenant's key changes are in the audit, as are those that an operator changes for it", async () => {
  await using t = await startWithTenants(config);
  const { key, id } = await t.tenantWithKey("acme");
  const asTenant: AdminCall = (method, path, body) => t.gateway.call(method, path, body, key);
  const asOperator: AdminCall = (method, path, body) => t.admin(method, path, body, "acme");
  const { body: made } = await asTenant("POST", "/api/webhooks", { url });
  const hook = `/api/webhooks/${made.endpoint}`;
  const { body: set } = await asOperator("PUT", "/api/backend", { url });
  for (const [ask, method, path, body] of [
    [asOperator, "POST", `${hook}/rotate-secret`, {}],
    [asTenant, "POST", `${hook}/dead/replay`, {}],
    [asTenant, "PUT", "/api/namespaces/news", { history: { size: 3 } }],
    [asOperator, "DELETE", "/api/namespaces/news", undefined],
    [asTenant, "DELETE", "/api/backend", undefined],
    [asTenant, "DELETE", hook, undefined],
  ] as const) {
    expect([path, (await ask(method, path, body)).status]).toEqual([path, 200]);
  }
  const entries = (await entriesOf(t.admin)).slice(0, 8).reverse();
  const tenant = { key: id, name: "backend" };
  const operator = { key: "api.adminKeys.0", acting: true };
  expect(entries.map(({ action, by, subject }) => [action, by, subject])).toEqual([
    ["webhook.added", tenant, made.endpoint],
    ["backend.set", operator, "backend"],
    ["webhook.secret_rotated", operator, made.endpoint],
    ["webhook.replayed", tenant, made.endpoint],
    ["namespace.changed", tenant, "news"],
    ["namespace.reset", operator, "news"],
    ["backend.removed", tenant, "backend"],
    ["webhook.removed", tenant, made.endpoint],
  ] as never);
  const text = JSON.stringify(await entriesOf(t.admin, ""));
  for (const secret of ["hush", made.secret, set.secret, key]) {
    expect(text.includes(secret)).toBe(false);
  }
  expect(await entriesOf(t.admin, "?tenant=default")).toEqual([]);
  // Who holds a tenant's key reads nothing of it.
  expect((await asTenant("GET", "/api/audit")).status).toBe(403);
  await using again = await t.again(config);
  expect((await entriesOf(again.admin)).slice(0, 8).reverse()).toEqual(entries);
});

test("[TN6] P3: a tenant's key cannot fill the audit; an operator who acts for it is not held up", async () => {
  const clock = createFakeClock();
  await using t = await startWithTenants(
    { ...config, tenants: { changesPerMinute: 3 } },
    { clock },
  );
  const { key } = await t.tenantWithKey("acme");
  const other = await t.tenantWithKey("beta");
  const change = { history: { size: 3 } };
  const put = (by: string) => t.gateway.call("PUT", "/api/namespaces/news", change, by);
  const pause = () => t.gateway.call("POST", "/api/webhooks", { url }, key);
  for (let n = 0; n < 3; n++) expect((await put(key)).status).toBe(200);
  const before = (await entriesOf(t.admin)).length;
  for (const refused of [await put(key), await pause()]) {
    expect([refused.status, refused.body.error.code]).toEqual([429, "rate_limited"]);
  }
  expect((await entriesOf(t.admin)).length).toBe(before);
  expect((await t.gateway.call("GET", "/api/webhooks", undefined, key)).body.endpoints).toEqual([]);
  expect((await put(other.key)).status).toBe(200);
  for (let n = 0; n < 5; n++) {
    expect((await t.admin("PUT", "/api/namespaces/news", change, "acme")).status).toBe(200);
  }
  clock.advance(20_000);
  expect((await put(key)).status).toBe(200);
});
