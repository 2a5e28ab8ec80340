import { expect, test } from "bun:test";
import { eventually, RawClient, type TestGateway } from "@aldis/testkit";
import { startWithTenants } from "./with-tenants.ts";

const ofAcme = { tenant: "acme" };

async function closeCodeOf(gateway: TestGateway, claims: Record<string, unknown>): Promise<number> {
  const socket = new WebSocket(`${gateway.wsUrl}?token=${await gateway.token(claims)}`);
  return new Promise((done) => socket.addEventListener("close", ({ code }) => done(code)));
}

test("[TN8] clients of a suspended tenant are told when to come back, and come back to nothing until it is resumed", async () => {
  await using t = await startWithTenants();
  await t.tenantWithKey("acme");
  const ann = await t.gateway.connect(ofAcme);
  const other = await t.gateway.connect();
  await ann.must("subscribe", { channel: "news:a" });
  await t.admin("POST", "/api/tenants/acme/suspend");
  expect((await ann.closed).code).toBe(4014);
  const said = ann.all.find(({ action }) => action === "error");
  expect(said?.data).toMatchObject({ code: "forbidden" });
  expect(said?.data.retryAfterMs).toBeWithin(30_000, 60_001);
  expect(await closeCodeOf(t.gateway, ofAcme)).toBe(4014);
  const asUser = { headers: { authorization: `Bearer ${await t.gateway.token(ofAcme)}` } };
  expect((await t.gateway.http("/api/auth/me", asUser)).status).toBe(403);
  await other.must("subscribe", { channel: "news:a" });
  await t.admin("POST", "/api/tenants/acme/resume");
  const back = await t.gateway.connect(ofAcme);
  await back.must("subscribe", { channel: "news:a" });
});

test("[TN8] no session of a suspended or deleted tenant is resumed, by its credential or with a token", async () => {
  await using t = await startWithTenants();
  await t.tenantWithKey("acme");
  const ann = await t.gateway.connect(ofAcme);
  const { session } = ann.welcome;
  ann.cut();
  await eventually("it to be parked", () => t.gateway.gateway.counters.sessionsParked === 1);
  await t.admin("POST", "/api/tenants/acme/suspend");
  const alone = await RawClient.open(t.gateway.wsUrl);
  alone.send("connect", { session });
  expect((await alone.closed).code).toBe(4002);
  await t.admin("POST", "/api/tenants/acme/resume");
  const token = await t.gateway.token(ofAcme);
  const fresh = await RawClient.open(t.gateway.wsUrl);
  fresh.send("connect", { session, token });
  expect((await fresh.next("welcome")).data.resumed).toBe(false);
});

test("[TN8] clients of a deleted tenant do not come back, however many they are", async () => {
  await using t = await startWithTenants();
  await t.tenantWithKey("acme");
  const all = await Promise.all(
    Array.from({ length: 40 }, (_, n) => t.gateway.connect({ ...ofAcme, sub: `u${n}` })),
  );
  await t.admin("DELETE", "/api/tenants/acme");
  const codes = await Promise.all(all.map(async ({ closed }) => (await closed).code));
  expect(new Set(codes)).toEqual(new Set([4503]));
  expect(await closeCodeOf(t.gateway, ofAcme)).toBe(4503);
  const asUser = { headers: { authorization: `Bearer ${await t.gateway.token(ofAcme)}` } };
  expect((await t.gateway.http("/api/auth/me", asUser)).status).toBe(401);
});

test("[TN7] where tenants are not open, a good token of one that nobody has created opens nothing", async () => {
  await using t = await startWithTenants({ tenants: { open: false } });
  expect(await closeCodeOf(t.gateway, { tenant: "nobody" })).toBe(4503);
  await t.tenantWithKey("acme");
  const ann = await t.gateway.connect(ofAcme);
  await ann.must("subscribe", { channel: "news:a" });
  const own = await t.gateway.connect();
  await own.must("subscribe", { channel: "news:a" });
});
