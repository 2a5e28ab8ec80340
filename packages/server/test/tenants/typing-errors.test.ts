/** An id that nobody has created is a typing error where something is to last: no keys, secrets or settings are made for it. */
import { expect, test } from "bun:test";
import { startTestGateway } from "@aldis/testkit";
import { ADMIN_KEY, adminOf, startWithTenants } from "./with-tenants.ts";

const publish = { channel: "news:a", data: 1 };
const config = { outbound: { allowPrivate: ["127.0.0.1"] } };

/** What is set for good, for the tenant of the header. */
const SETTINGS = [
  ["PUT", "/api/namespaces/news", { history: { size: 3 } }],
  ["POST", "/api/webhooks", { url: "http://127.0.0.1:9/" }],
  ["PUT", "/api/webhooks/we_none", { types: ["*"] }],
  ["PUT", "/api/backend", { url: "http://127.0.0.1:9/" }],
] as const;

test("[TN2] [TN3] nothing that lasts is made for a tenant that nobody has created: a typing error is told, and how to mend it", async () => {
  await using t = await startWithTenants(config);
  await t.tenantWithKey("acme");
  const answers = await Promise.all([
    t.admin("POST", "/api/tenants/acmee/keys", {}),
    t.admin("GET", "/api/tenants/acmee/keys"),
    t.admin("POST", "/api/tenants/acmee/token-secrets"),
    ...SETTINGS.map(([method, path, body]) => t.admin(method, path, body, "acmee")),
  ]);
  const told = { code: "not_found", message: expect.stringContaining("create it first") };
  for (const { status, body } of answers) {
    expect([status, body.error]).toEqual([404, expect.objectContaining(told)]);
  }
  for (const [method, path, body] of SETTINGS.filter(([, path]) => !path.endsWith("none"))) {
    expect([path, (await t.admin(method, path, body, "acme")).status]).toEqual([path, 200]);
    expect([path, (await t.admin(method, path, body)).status]).toEqual([path, 200]);
  }
});

test("[TN3] [TN7] what does not last goes on for tenants that tokens alone name", async () => {
  await using t = await startWithTenants(config);
  expect((await t.admin("POST", "/api/publish", publish, "walk-in")).status).toBe(200);
  expect((await t.admin("GET", "/api/namespaces", undefined, "walk-in")).status).toBe(200);
});

test("[TN2] tenants of the configuration have keys and settings without having been created", async () => {
  const key = "key-of-the-configuration-0123456789";
  await using t = await startWithTenants({ ...config, api: { keys: [{ key, tenant: "acme" }] } });
  for (const id of ["acme", "default"]) {
    expect((await t.admin("POST", `/api/tenants/${id}/keys`, {})).status).toBe(200);
  }
  for (const [method, path, body] of SETTINGS.slice(0, 2)) {
    expect((await t.admin(method, path, body, "acme")).status).toBe(200);
  }
});

test("[TN3] where no tenants are kept none can be created, and each may have namespaces of its own", async () => {
  await using gateway = await startTestGateway({ config: { api: { adminKeys: [ADMIN_KEY] } } });
  const [method, path, body] = SETTINGS[0];
  expect((await adminOf(gateway)(method, path, body, "walk-in")).status).toBe(200);
});
