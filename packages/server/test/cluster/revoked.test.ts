/** What is taken away on one node is gone on another within five seconds of the clock, though that hears nothing of it. */
import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createFakeClock,
  eventually,
  RawClient,
  startRedis,
  startTcpProxy,
  startTestGateway,
} from "@aldis/testkit";
import { SignJWT } from "jose";
import { ADMIN_KEY, adminOf } from "../tenants/with-tenants.ts";

/** What the promise says, in milliseconds of the clock. */
const WITHIN_MS = 5_000;

/** Two nodes as they are configured by default. Between them is the store alone: of what one tells the other nothing comes in. */
async function startTwo() {
  await using opened = new AsyncDisposableStack();
  const clock = createFakeClock();
  const redis = opened.use(await startRedis());
  const proxy = opened.use(startTcpProxy(redis.port));
  const folder = await mkdtemp(join(tmpdir(), "aldis-revoked-"));
  opened.defer(() => rm(folder, { recursive: true }));
  const start = async (broker: string) =>
    opened.use(
      await startTestGateway({
        clock,
        config: {
          broker,
          api: { adminKeys: [ADMIN_KEY] },
          store: { url: `sqlite:${join(folder, "aldis.db")}` },
        },
      }),
    );
  const [one, two] = [await start(redis.url), await start(`redis://127.0.0.1:${proxy.port}`)];
  const admin = adminOf(one);
  await admin("POST", "/api/tenants", { id: "acme" });
  const { body: made } = await admin("POST", "/api/tenants/acme/keys", {});
  /** What the other node answers, over one connection that stays open. */
  const asKey = async () => (await two.call("GET", "/api/namespaces", undefined, made.key)).status;
  await eventually("the other node to know it", async () => (await asKey()) === 200);
  return {
    ...{ clock, one, two, admin, made, asKey, opened: opened.move() },
    /** From now on the other node hears nothing of what the first one says. */
    cut: () => expect(proxy.deafen(/subscribe/i)).toBeGreaterThan(0),
    async [Symbol.asyncDispose]() {
      // What waits for an answer that does not come would wait for the clock, too.
      proxy.cut();
      await this.opened.disposeAsync();
    },
  };
}

test("[TN2] faults 29: a key that one node has revoked opens nothing on another within 5 s, with every message between them lost", async () => {
  await using nodes = await startTwo();
  const { clock, one, two, admin, made, asKey, cut } = nodes;
  cut();
  expect((await admin("DELETE", `/api/tenants/acme/keys/${made.id}`)).status).toBe(200);
  const here = await one.call("GET", "/api/namespaces", undefined, made.key);
  // Nobody has told it, and its time stands still.
  expect([here.status, await asKey()]).toEqual([401, 200]);
  clock.advance(WITHIN_MS);
  await eventually("the other node to refuse it", async () => (await asKey()) === 401);
  const publish = { channel: "news:a", data: 1 };
  expect((await two.call("POST", "/api/publish", publish, made.key)).status).toBe(401);
}, 30_000);

test("[TN8] faults 29: clients of a tenant that one node has suspended are closed on another within 5 s, with every message lost", async () => {
  await using nodes = await startTwo();
  const { clock, two, admin, asKey, cut } = nodes;
  const ann = await two.connect({ tenant: "acme" });
  cut();
  await admin("POST", "/api/tenants/acme/suspend");
  expect(await asKey()).toBe(200);
  clock.advance(WITHIN_MS);
  expect((await ann.closed).code).toBe(4014);
  expect(await asKey()).toBe(403);
}, 30_000);

test("[TN9] faults 29: tokens of a secret that one node has removed open nothing on another within 5 s, nor prolong what is open", async () => {
  await using nodes = await startTwo();
  const { clock, two, admin, cut } = nodes;
  const { body: first } = await admin("POST", "/api/tenants/acme/token-secrets");
  // Another one stays: without any the shared secrets would speak for the tenant.
  await admin("POST", "/api/tenants/acme/token-secrets");
  const sign = (lifeS: number) =>
    new SignJWT({ sub: "ann", tenant: "acme" })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime(Math.floor(clock.nowMs() / 1_000) + lifeS)
      .sign(new TextEncoder().encode(first.secret));
  const status = async (lifeS: number) => {
    const headers = { authorization: `Bearer ${await sign(lifeS)}` };
    return (await two.http("/api/auth/me", { headers })).status;
  };
  await eventually("the other node to know it", async () => (await status(600)) === 200);
  const ann = await RawClient.connect(`${two.wsUrl}?token=${await sign(600)}`);
  cut();
  await admin("DELETE", `/api/tenants/acme/token-secrets/${first.id}`);
  // One that was judged before, and one that was not.
  expect([await status(600), await status(601)]).toEqual([200, 200]);
  clock.advance(WITHIN_MS);
  await eventually("the other node to refuse both", async () => {
    return (await status(595)) === 401 && (await status(596)) === 401;
  });
  const refused = await ann.refused("refresh", { token: await sign(900) });
  expect(refused).toMatchObject({ code: "unauthorized" });
}, 30_000);
