import { expect, test } from "bun:test";
import { createFakeClock, eventually } from "@aldis/testkit";
import { startWithTenants } from "./with-tenants.ts";

const publish = { channel: "news:a", data: 1 };

test("[TN1] a tenant is created, listed, shown, changed and deleted, with no restart", async () => {
  await using t = await startWithTenants();
  const made = await t.admin("POST", "/api/tenants", {
    ...{ id: "acme", name: "Acme Inc.", quotas: { connections: 10, channels: 5 } },
  });
  expect(made).toMatchObject({ status: 200, body: { id: "acme", status: "active" } });
  expect((await t.admin("POST", "/api/tenants", { id: "acme" })).status).toBe(409);
  const changed = await t.admin("PUT", "/api/tenants/acme", {
    ...{ name: null, quotas: { channels: null, storeBytes: 1000 } },
  });
  expect(changed.body.quotas).toEqual({ connections: 10, storeBytes: 1000 });
  const shown = await t.admin("GET", "/api/tenants/acme");
  expect([shown.body.name, shown.body.quotas]).toEqual([undefined, changed.body.quotas]);
  const listed = await t.admin("GET", "/api/tenants");
  expect(listed.body.tenants.map(({ id, configured }: never) => [id, configured])).toEqual([
    ["acme", undefined],
    ["default", true],
  ]);
  expect((await t.admin("DELETE", "/api/tenants/acme")).body.status).toBe("deleted");
  expect((await t.admin("POST", "/api/tenants", { id: "acme" })).status).toBe(409);
});

test("[TN1] what the configuration names is neither created, suspended nor deleted, but has quotas", async () => {
  await using t = await startWithTenants();
  for (const [method, path, body] of [
    ["POST", "/api/tenants", { id: "default" }],
    ["POST", "/api/tenants/default/suspend", undefined],
    ["DELETE", "/api/tenants/default", undefined],
  ] as const) {
    expect([path, (await t.admin(method, path, body)).status]).toEqual([path, 409]);
  }
  const changed = await t.admin("PUT", "/api/tenants/default", { quotas: { connections: 3 } });
  expect([changed.status, changed.body.quotas]).toEqual([200, { connections: 3 }]);
});

test("[QU1] a tenant is shown with the quotas that it is held to: its own, and else the configuration's", async () => {
  await using t = await startWithTenants({ tenants: { quotas: { channels: 7, connections: 9 } } });
  await t.admin("PUT", "/api/tenants/default", { quotas: { connections: 3 } });
  const { body } = await t.admin("GET", "/api/tenants/default");
  expect([body.quotas, body.quotasInForce]).toEqual([
    { connections: 3 },
    { connections: 3, channels: 7 },
  ]);
});

test("[TN2] a key made at run time opens what its scopes say, for its tenant alone, until it is revoked", async () => {
  await using t = await startWithTenants();
  const { key, id } = await t.tenantWithKey("acme");
  expect((await t.gateway.call("POST", "/api/publish", publish, key)).status).toBe(200);
  const ofDefault = await t.gateway.call("GET", "/api/channels/news:a/history");
  expect(ofDefault.body.publications ?? []).toEqual([]);
  const narrow = await t.admin("POST", "/api/tenants/acme/keys", { scopes: ["read"] });
  const refused = await t.gateway.call("POST", "/api/publish", publish, narrow.body.key);
  expect(refused.status).toBe(403);
  const listed = await t.admin("GET", "/api/tenants/acme/keys");
  expect(JSON.stringify(listed.body)).not.toContain(key);
  expect(listed.body.keys.map((one: { id: string }) => one.id).sort()).toEqual(
    [id, narrow.body.id].sort(),
  );
  expect(listed.body.keys.find((one: { id: string }) => one.id === id).lastUsedAt).toBeNumber();
  expect((await t.admin("DELETE", `/api/tenants/acme/keys/${id}`)).status).toBe(200);
  expect((await t.gateway.call("POST", "/api/publish", publish, key)).status).toBe(401);
  expect((await t.admin("DELETE", `/api/tenants/acme/keys/${id}`)).status).toBe(404);
});

test("[TN2] of a key that is replaced both live until the overlap is over, and a key ends when it says", async () => {
  const clock = createFakeClock();
  await using t = await startWithTenants({}, { clock });
  const { key, id } = await t.tenantWithKey("acme");
  const made = await t.admin("POST", `/api/tenants/acme/keys/${id}/rotate`, { overlapMs: 1_000 });
  expect(made.body.name).toBe("backend");
  const status = async (one: string) =>
    (await t.gateway.call("POST", "/api/publish", publish, one)).status;
  expect([await status(key), await status(made.body.key)]).toEqual([200, 200]);
  clock.advance(1_000);
  expect([await status(key), await status(made.body.key)]).toEqual([401, 200]);
  const short = await t.admin("POST", "/api/tenants/acme/keys", {
    expiresAt: clock.nowMs() + 500,
  });
  expect(await status(short.body.key)).toBe(200);
  clock.advance(500);
  expect(await status(short.body.key)).toBe(401);
  // Seconds, by mistake.
  const over = { expiresAt: Math.floor(clock.nowMs() / 1_000) + 3_600 };
  const refused = await t.admin("POST", "/api/tenants/acme/keys", over);
  expect([refused.status, refused.body.error.message]).toEqual([
    400,
    expect.stringContaining("milliseconds"),
  ]);
});

test("[TN2] what was created is there after a restart, and what was revoked is not", async () => {
  await using t = await startWithTenants();
  const { key, id } = await t.tenantWithKey("acme");
  const other = await t.tenantWithKey("beta");
  await t.admin("DELETE", `/api/tenants/acme/keys/${id}`);
  await using again = await t.again();
  const status = async (one: string) =>
    (await again.gateway.call("POST", "/api/publish", publish, one)).status;
  expect([await status(key), await status(other.key)]).toEqual([401, 200]);
});

test("[TN3] an admin key acts for any tenant that the header names; others are refused with it", async () => {
  await using t = await startWithTenants({ tenants: { open: false } });
  const { key } = await t.tenantWithKey("acme");
  const put = await t.admin("PUT", "/api/namespaces/news", { history: { size: 3 } }, "acme");
  expect(put.status).toBe(200);
  expect((await t.admin("GET", "/api/namespaces")).body.namespaces.length).toBe(1);
  const own = await t.gateway.call("GET", "/api/namespaces", undefined, key);
  expect(own.body.namespaces.map(({ name }: { name: string }) => name)).toContain("news");
  expect((await t.admin("GET", "/api/namespaces", undefined, "nobody")).status).toBe(404);
  expect((await t.admin("GET", "/api/namespaces", undefined, "no such id!")).status).toBe(400);
  const withHeader = (one: string, tenant: string) =>
    t.gateway.http("/api/namespaces", {
      headers: { authorization: `Bearer ${one}`, "aldis-tenant": tenant },
    });
  expect((await withHeader(key, "acme")).status).toBe(200);
  expect((await withHeader(key, "default")).status).toBe(403);
  expect((await withHeader(t.gateway.apiKey, "acme")).status).toBe(403);
});

test("[TN4] keys of a suspended tenant are refused until it is resumed, those of a deleted one for good", async () => {
  await using t = await startWithTenants();
  const { key } = await t.tenantWithKey("acme");
  const call = () => t.gateway.call("POST", "/api/publish", publish, key);
  await t.admin("POST", "/api/tenants/acme/suspend");
  expect(await call()).toMatchObject({ status: 403, body: { error: { code: "forbidden" } } });
  expect((await t.admin("GET", "/api/namespaces", undefined, "acme")).status).toBe(200);
  await t.admin("POST", "/api/tenants/acme/resume");
  expect((await call()).status).toBe(200);
  await t.admin("DELETE", "/api/tenants/acme");
  expect((await call()).status).toBe(401);
});

test("[TN5] [P2] a tenant's key reaches no tenant's administration, and ids of others' keys are not there", async () => {
  await using t = await startWithTenants();
  const { key, id } = await t.tenantWithKey("acme");
  await t.tenantWithKey("beta");
  for (const [method, path, body] of [
    ["GET", "/api/tenants", undefined],
    ["POST", "/api/tenants", { id: "more" }],
    ["GET", "/api/tenants/acme", undefined],
    ["POST", "/api/tenants/beta/suspend", undefined],
    ["GET", "/api/tenants/acme/keys", undefined],
    ["POST", "/api/tenants/acme/keys", {}],
    ["GET", "/api/audit", undefined],
  ] as const) {
    expect([path, (await t.gateway.call(method, path, body, key)).status]).toEqual([path, 403]);
  }
  const foreign = await t.admin("DELETE", `/api/tenants/beta/keys/${id}`);
  const unknown = await t.admin("DELETE", "/api/tenants/beta/keys/nothing");
  expect(foreign).toEqual(unknown);
  expect((await t.admin("POST", `/api/tenants/beta/keys/${id}/rotate`, {})).status).toBe(404);
  for (const scopes of [["tenants"], ["cluster"], ["metrics"], ["*", "tenants"], []]) {
    const made = await t.admin("POST", "/api/tenants/acme/keys", { scopes });
    expect([scopes, made.status]).toEqual([scopes, 400]);
  }
});

test("[TN5] ids that reach elsewhere, names that forge lines, and quotas that are none are refused", async () => {
  await using t = await startWithTenants();
  for (const id of ["*", "", "a/b", "../x", "a b", "x".repeat(65), "é", "a\n", "__proto__/x", 7]) {
    const made = await t.admin("POST", "/api/tenants", { id });
    expect([id, made.status]).toEqual([id, 400]);
  }
  for (const more of [{ name: "a\nb" }, { name: "" }, { quotas: { other: 1 } }]) {
    expect((await t.admin("POST", "/api/tenants", { id: "acme", ...more })).status).toBe(400);
  }
  for (const connections of [-1, 1.5, "7", 2 ** 60]) {
    const made = await t.admin("POST", "/api/tenants", { id: "acme", quotas: { connections } });
    expect([connections, made.status]).toEqual([connections, 400]);
  }
  // Names of what every object has are tenants like others.
  expect((await t.admin("POST", "/api/tenants", { id: "__proto__" })).status).toBe(200);
  expect((await t.admin("GET", "/api/tenants/constructor")).status).toBe(404);
});

test("[TN6] who has changed what is written down, in order, page by page, without any secret", async () => {
  await using t = await startWithTenants();
  const { key, id } = await t.tenantWithKey("acme");
  await t.tenantWithKey("beta");
  await t.admin("POST", "/api/tenants/acme/suspend");
  await t.admin("DELETE", `/api/tenants/acme/keys/${id}`);
  const all = await t.admin("GET", "/api/audit?tenant=acme");
  expect(all.body.entries.map(({ action }: { action: string }) => action)).toEqual([
    ...["key.revoked", "tenant.suspended", "key.created", "tenant.created"],
  ]);
  expect(all.body.entries[0]).toMatchObject({ by: { key: "api.adminKeys.0" }, subject: id });
  expect(JSON.stringify(all.body)).not.toContain(key);
  const seen: number[] = [];
  for (let query = "?limit=2"; query !== ""; ) {
    const { body } = await t.admin("GET", `/api/audit${query}`);
    seen.push(...body.entries.map(({ seq }: { seq: number }) => seq));
    query = body.next === undefined ? "" : `?limit=2&cursor=${body.next}`;
  }
  expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
  expect((await t.admin("GET", "/api/audit?limit=100000")).status).toBe(400);
});

test("[TN1] a list of many tenants is read in pages, each tenant once", async () => {
  await using t = await startWithTenants({ tenants: { max: 30 } });
  const ids = Array.from({ length: 30 }, (_, n) => `t${String(n).padStart(2, "0")}`);
  await Promise.all(ids.map((id) => t.admin("POST", "/api/tenants", { id })));
  expect((await t.admin("POST", "/api/tenants", { id: "more" })).body.error.code).toBe(
    "limit_reached",
  );
  const seen: string[] = [];
  for (let query = "?limit=7"; query !== ""; ) {
    const { body } = await t.admin("GET", `/api/tenants${query}`);
    seen.push(...body.tenants.map(({ id }: { id: string }) => id));
    query = body.next === undefined ? "" : `?limit=7&cursor=${body.next}`;
  }
  expect(seen).toEqual(["default", ...ids]);
});

test("[TN2] when a key was used last is kept, written behind and over restarts", async () => {
  const clock = createFakeClock();
  await using t = await startWithTenants({}, { clock });
  const { key, id } = await t.tenantWithKey("acme");
  await t.gateway.call("POST", "/api/publish", publish, key);
  const usedAt = clock.nowMs();
  await t.gateway[Symbol.asyncDispose]();
  await using again = await t.again();
  await eventually("it to be known", async () => {
    const { body } = await again.admin("GET", "/api/tenants/acme/keys");
    const listed = body.keys.find((one: { id: string }) => one.id === id);
    return listed.lastUsedAt === usedAt;
  });
});
