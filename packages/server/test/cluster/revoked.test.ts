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
const STEP_MS = 500;

/** A clock that goes by itself until it is held: starting and stopping wait for it. */
function goingClock() {
  const clock = createFakeClock();
  const go = () => setInterval(() => clock.advance(20), 20);
  let going = go();
  return {
    clock,
    hold: () => clearInterval(going),
    go() {
      going = go();
    },
  };
}

/** Two nodes as they are configured by default. Between them is the store alone: of what one tells the other nothing comes in. */
async function startTwo() {
  await using opened = new AsyncDisposableStack();
  const { clock, hold, go } = goingClock();
  opened.defer(hold);
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
  /** What the other node reads of the store has been read: its own changes take turns with that. */
  const settled = () => adminOf(two)("PUT", "/api/tenants/default", {});
  const kept = opened.move();
  return {
    ...{ clock, one, two, admin, made, asKey },
    /** From now on the clock stands, and the other node hears nothing of what the first one says. */
    async cut() {
      hold();
      expect(proxy.deafen(/subscribe/i)).toBeGreaterThan(0);
      await settled();
    },
    /** As much of the clock as is promised, and no more. */
    async passTime() {
      for (let ms = 0; ms < WITHIN_MS; ms += STEP_MS) {
        clock.advance(STEP_MS);
        await settled();
      }
    },
    async [Symbol.asyncDispose]() {
      go();
      // Nobody is to wait for what does not come.
      proxy.cut();
      await kept.disposeAsync();
    },
  };
}

test("[TN2] faults 29: a key that one node has revoked opens nothing on another within 5 s, with every message between them lost", async () => {
  await using nodes = await startTwo();
  const { one, two, admin, made, asKey, cut, passTime } = nodes;
  await cut();
  expect((await admin("DELETE", `/api/tenants/acme/keys/${made.id}`)).status).toBe(200);
  const here = await one.call("GET", "/api/namespaces", undefined, made.key);
  // Nobody has told it, and its time stands still.
  expect([here.status, await asKey()]).toEqual([401, 200]);
  await passTime();
  expect(await asKey()).toBe(401);
  const publish = { channel: "news:a", data: 1 };
  expect((await two.call("POST", "/api/publish", publish, made.key)).status).toBe(401);
}, 30_000);

test("[TN8] faults 29: clients of a tenant that one node has suspended are closed on another within 5 s, with every message lost", async () => {
  await using nodes = await startTwo();
  const { two, admin, asKey, cut, passTime } = nodes;
  const ann = await two.connect({ tenant: "acme" });
  await cut();
  await admin("POST", "/api/tenants/acme/suspend");
  expect(await asKey()).toBe(200);
  await passTime();
  expect((await ann.closed).code).toBe(4014);
  expect(await asKey()).toBe(403);
}, 30_000);

test("[TN9] faults 29: tokens of a secret that one node has removed open nothing on another within 5 s, nor prolong what is open", async () => {
  await using nodes = await startTwo();
  const { clock, two, admin, cut, passTime } = nodes;
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
  await cut();
  await admin("DELETE", `/api/tenants/acme/token-secrets/${first.id}`);
  // One that was judged before, and one that was not.
  expect([await status(600), await status(601)]).toEqual([200, 200]);
  await passTime();
  expect([await status(595), await status(596)]).toEqual([401, 401]);
  const refused = await ann.refused("refresh", { token: await sign(900) });
  expect(refused).toMatchObject({ code: "unauthorized" });
}, 30_000);
