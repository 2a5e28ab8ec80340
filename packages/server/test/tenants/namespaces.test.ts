import { expect, test } from "bun:test";
import { startWithTenants } from "./with-tenants.ts";

test("[HT2] namespaces that a tenant has changed are there after a restart, as they were, and reset ones are not", async () => {
  await using t = await startWithTenants();
  await t.admin("POST", "/api/tenants", { id: "acme" });
  const put = (name: string, body: object, tenant?: string) =>
    t.admin("PUT", `/api/namespaces/${name}`, body, tenant);
  await put("news", { history: { size: 7 } }, "acme");
  await put("news", { history: { size: 8 } });
  await put("old", { history: { size: 9 } });
  expect((await t.admin("DELETE", "/api/namespaces/old")).status).toBe(200);
  expect((await t.admin("DELETE", "/api/namespaces/old")).status).toBe(404);
  await using again = await t.again();
  const sizes = async (tenant?: string) => {
    const { body } = await again.admin("GET", "/api/namespaces", undefined, tenant);
    return body.namespaces.map(({ name, history }: { name: string; history: { size: number } }) => [
      name,
      history.size,
    ]);
  };
  expect(await sizes("acme")).toContainEqual(["news", 7]);
  expect(await sizes()).toContainEqual(["news", 8]);
  expect((await sizes()).map(([name]: [string]) => name)).not.toContain("old");
  const audit = await t.admin("GET", "/api/audit?tenant=default");
  expect(audit.body.entries.map(({ action }: { action: string }) => action)).toEqual([
    ...["namespace.reset", "namespace.changed", "namespace.changed"],
  ]);
});

test("[AU6] who may not have a channel any more is put out of it, when its tenant changes the namespace, and nobody else", async () => {
  await using t = await startWithTenants();
  await t.tenantWithKey("acme");
  const rights = { capabilities: {} };
  await t.admin("PUT", "/api/namespaces/news", { allow: { subscribe: ["user"] } }, "acme");
  await t.admin("PUT", "/api/namespaces/news", { allow: { subscribe: ["user"] } });
  const ann = await t.gateway.connect({ ...rights, tenant: "acme" });
  const other = await t.gateway.connect(rights);
  for (const client of [ann, other]) await client.must("subscribe", { channel: "news:a" });
  await t.admin("PUT", "/api/namespaces/news", { allow: { subscribe: [] } }, "acme");
  expect((await ann.next("unsubscribe")).data).toMatchObject({ channel: "news:a" });
  expect(other.all.some(({ action }) => action === "unsubscribe")).toBe(false);
});
