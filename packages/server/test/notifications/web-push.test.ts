/** [NT13] [NT14]: Web Push to a service that judges and decrypts what it is sent. */
import { describe, expect, test } from "bun:test";
import { createECDH } from "node:crypto";
import { createFakeClock, eventually, type FakeClock, type TestGateway } from "@aldis/testkit";
import {
  type BrowserKeys,
  createBrowserKeys,
  decrypt,
  type PushService,
  startPushService,
} from "./push-service.ts";
import { asUser, startWithStore } from "./support.ts";

const PATH = "/api/notifications";

function vapidKeys(): { readonly publicKey: string; readonly privateKey: string } {
  const pair = createECDH("prime256v1");
  const publicKey = pair.generateKeys("base64url");
  const hex = pair.getPrivateKey("hex").padStart(64, "0");
  return { publicKey, privateKey: Buffer.from(hex, "hex").toString("base64url") };
}

type Setup = AsyncDisposable & {
  readonly gateway: TestGateway;
  readonly service: PushService;
  readonly publicKey: string;
  readonly clock: FakeClock;
  /** Subscribes a browser of a user. */
  browser(user: string, path: string): Promise<BrowserKeys & { readonly endpoint: string }>;
  send(message: object): Promise<{ readonly id: string; readonly expiresAt: number }>;
};

/** The push service of these tests is on this machine. */
const HERE = ["127.0.0.0/8", "::1"];

async function setUp(more: object = {}, allowPrivate = HERE): Promise<Setup> {
  const keys = vapidKeys();
  const service = startPushService({ publicKey: keys.publicKey });
  // Tests move the clock by minutes while it writes, and posts.
  const timeoutMs = 600_000;
  const push = { subject: "mailto:ops@example.com", timeoutMs, ...keys, ...more };
  // Tokens for push services are judged by the time of day.
  const clock = createFakeClock(Date.now());
  const gateway = await startWithStore({
    clock,
    config: { store: { timeoutMs }, notifications: { push }, outbound: { allowPrivate } },
  });
  return {
    gateway,
    service,
    clock,
    publicKey: keys.publicKey,
    async browser(user, path) {
      const browser = createBrowserKeys();
      const endpoint = `${service.url}${path}`;
      const { p256dh, auth } = browser;
      const call = await asUser(gateway, { sub: user });
      const body = { endpoint, keys: { p256dh, auth } };
      const { status } = await call("POST", `${PATH}/subscriptions`, body);
      expect(status).toBe(200);
      return { ...browser, endpoint };
    },
    async send(message) {
      const { status, body } = await gateway.call("POST", PATH, message);
      expect(status).toBe(200);
      return body;
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  };
}

/** With `clock` time passes meanwhile. */
async function taken(
  service: PushService,
  count: number,
  clock?: FakeClock,
): Promise<PushService["taken"]> {
  await eventually(`${count} pushes`, () => {
    clock?.advance(500);
    return service.taken.length >= count;
  });
  expect(service.wrong).toEqual([]);
  return service.taken;
}

async function counted(gateway: TestGateway, event: string): Promise<number> {
  const metrics = await (await fetch(`${gateway.url}/metrics`, withKey(gateway))).text();
  const line = new RegExp(`aldis_plugin_events_total\\{.*event="${event}".*\\} (\\d+)`);
  return Number(line.exec(metrics)?.[1] ?? 0);
}

function withKey(gateway: TestGateway): RequestInit {
  return { headers: { authorization: `Bearer ${gateway.apiKey}` } };
}

describe("RFC 8291", () => {
  test("the test's own decryption is that of the RFC's example", () => {
    // Appendix A of RFC 8291.
    const keys = {
      p256dh:
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
      auth: "BTBZMqHH6r4Tts7J_aSIgg",
      privateKey: Buffer.from("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "base64url"),
    };
    const message =
      "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
    expect(decrypt(Buffer.from(message, "base64url"), keys)).toBe(
      "When I grow up, I want to be a watermelon",
    );
  });
});

describe("a user without a connection", () => {
  test("[NT14] is pushed to on all browsers: encrypted, signed, with time, urgency and topic", async () => {
    await using world = await setUp();
    const { service } = world;
    const browsers = [await world.browser("ann", "/1"), await world.browser("ann", "/2")];
    await world.browser("bob", "/bob");
    const data = { n: 1, odd: "🦊 \u2028" };
    const message = { user: "ann", title: "Hi", body: "there", data, collapseKey: "c" };
    const { id, expiresAt } = await world.send({ ...message, priority: "urgent" });
    await taken(service, 2);
    for (const [index, browser] of browsers.entries()) {
      const push = service.taken.find(({ path }) => path === `/${index + 1}`);
      if (push === undefined) throw new Error("not pushed");
      const payload = JSON.parse(decrypt(push.body, browser));
      expect(payload).toMatchObject({ id, seq: 1, title: "Hi", body: "there", data });
      expect(push.headers.get("ttl")).toBe(String(28 * 24 * 3_600));
      expect(expiresAt).toBeGreaterThan(0);
      expect(push.headers.get("urgency")).toBe("high");
      expect(push.headers.get("topic")).toMatch(/^[\w-]{1,32}$/);
      expect(push.claims["sub"]).toBe("mailto:ops@example.com");
      const stranger = createBrowserKeys();
      expect(() => decrypt(push.body, stranger)).toThrow();
    }
    await world.send({ user: "ann", type: "later", expiresInMs: 90_500 });
    await taken(service, 4);
    const last = service.taken.at(-1);
    expect(last?.headers.get("ttl")).toBe("91");
    expect(last?.headers.get("urgency")).toBe("normal");
    expect(last?.headers.has("topic")).toBe(false);
  });

  test("[NT14] and not when they have a connection, nor for the tenant's", async () => {
    await using world = await setUp();
    const browser = await world.browser("ann", "/ann");
    const ann = await world.gateway.connect({ sub: "ann" });
    await world.send({ user: "ann", title: "seen" });
    await ann.next("notification");
    await ann.close();
    await world.send({ tenant: true, title: "all" });
    await eventually("gone", async () => {
      const { body } = await world.gateway.call("GET", "/api/users/ann/connections");
      return body === undefined || true;
    });
    const { id } = await world.send({ user: "ann", title: "away" });
    const [push, ...others] = await taken(world.service, 1);
    expect(others).toEqual([]);
    if (push === undefined) throw new Error("not pushed");
    expect(JSON.parse(decrypt(push.body, browser)).id).toBe(id);
  });

  test("[NT14] what is too large for a push is told by its title, and kept whole", async () => {
    await using world = await setUp();
    const browser = await world.browser("ann", "/ann");
    const { id } = await world.send({ user: "ann", title: "long", data: "€".repeat(1_500) });
    const [push] = await taken(world.service, 1);
    if (push === undefined) throw new Error("not pushed");
    const payload = JSON.parse(decrypt(push.body, browser));
    expect(payload).toEqual({ id, title: "long", truncated: true });
  });

  test("[NT14] a subscription that has ended is forgotten, whether by 404 or by 410", async () => {
    await using world = await setUp();
    const { service, gateway } = world;
    for (const [index, status] of [404, 410].entries()) {
      await world.browser("ann", `/${status}`);
      service.answers.push(new Response(null, { status }));
      await world.send({ user: "ann", title: "x" });
      const gone = async () => (await counted(gateway, "web_push_gone")) === index + 1;
      await eventually("it to be gone", gone);
      await world.send({ user: "ann", title: "x" });
    }
    // Its turn comes after the others': they went to nobody.
    await world.browser("bob", "/bob");
    await world.send({ user: "bob", title: "x" });
    const pushes = await taken(service, 1);
    expect(pushes.map(({ path }) => path)).toEqual(["/bob"]);
  });

  test("[NT14] is tried again when the service says so, not before, and not when it was acknowledged", async () => {
    await using world = await setUp({ retryMs: 1_000, attemptsMax: 3 });
    const { service, clock, gateway } = world;
    await world.browser("ann", "/ann");
    const retried = (count: number, stepMs = 0) =>
      eventually("it to wait", async () => {
        clock.advance(stepMs);
        return (await counted(gateway, "web_push_retried")) >= count;
      });
    const headers = { "retry-after": "60" };
    service.answers.push(new Response(null, { status: 429, headers }));
    service.answers.push(new Response(null, { status: 503 }));
    await world.send({ user: "ann", title: "x" });
    await retried(1);
    const startMs = clock.nowMs();
    await retried(2, 1_000);
    expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(60_000);
    await taken(service, 1, clock);

    service.answers.push(new Response(null, { status: 500 }));
    const { id } = await world.send({ user: "ann", title: "y" });
    await retried(3);
    await gateway.call("POST", `${PATH}/acknowledge`, { user: "ann", id });
    await world.browser("bob", "/bob");
    const { id: last } = await world.send({ user: "bob", title: "z" });
    expect(last).not.toBe(id);
    await taken(service, 2, clock);
    for (let n = 0; n < 20; n++) {
      clock.advance(1_000);
      await counted(gateway, "web_push_retried");
    }
    expect(service.taken.map(({ path }) => path)).toEqual(["/ann", "/bob"]);
  });

  test("[NT14] is given up after so many tries", async () => {
    await using world = await setUp({ retryMs: 1_000, attemptsMax: 3 });
    const { service, clock, gateway } = world;
    await world.browser("ann", "/ann");
    for (let n = 0; n < 3; n++) service.answers.push(new Response(null, { status: 500 }));
    await world.send({ user: "ann", title: "x" });
    await eventually("it to be given up", async () => {
      clock.advance(10_000);
      return (await counted(gateway, "web_push_dropped")) === 1;
    });
    expect(service.taken).toEqual([]);
  });
});

describe("subscribing", () => {
  test("[NT13] by action: the key, subscribe, unsubscribe", async () => {
    await using world = await setUp();
    const ann = await world.gateway.connect({ sub: "ann" });
    expect(await ann.must("push_key", {})).toEqual({ publicKey: world.publicKey });
    const { p256dh, auth } = createBrowserKeys();
    const endpoint = `${world.service.url}/ann`;
    await ann.must("push_subscribe", { endpoint, keys: { p256dh, auth }, expirationTime: null });
    await ann.must("push_unsubscribe", { endpoint });
    await ann.must("push_unsubscribe", { endpoint });
    await ann.close();
    await world.browser("bob", "/bob");
    await world.send({ users: ["ann", "bob"], title: "x" });
    const pushes = await taken(world.service, 1);
    expect(pushes.map(({ path }) => path)).toEqual(["/bob"]);
  });

  test("[NT13] a browser is the latest user's who subscribed with it; a user has so many", async () => {
    await using world = await setUp({ subscriptionsPerUser: 2 });
    await world.browser("ann", "/shared");
    await world.browser("bob", "/shared");
    for (const path of ["/1", "/2", "/3"]) {
      world.clock.advance(1);
      await world.browser("bob", path);
    }
    await world.send({ users: ["ann", "bob"], title: "x" });
    await taken(world.service, 2);
    expect(world.service.taken.map(({ path }) => path).sort()).toEqual(["/2", "/3"]);
  });

  test("[NT13] what must not be called is refused: private hosts, other schemes, keys of nobody", async () => {
    await using world = await setUp({}, []);
    const ann = await world.gateway.connect({ sub: "ann" });
    const { p256dh, auth } = createBrowserKeys();
    const keys = { p256dh, auth };
    const hosts = ["127.0.0.1", "10.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"];
    const odd = ["2130706433", "0x7f.1", "localhost", "[fd00::1]", "[64:ff9b::7f00:1]", "0.0.0.0"];
    const endpoints = [...hosts, ...odd].map((host) => `https://${host}/x`);
    const schemes = [
      "http://push.example.com/x",
      "file:///etc/passwd",
      "x",
      "https://u:p@1.1.1.1/",
    ];
    for (const endpoint of [...endpoints, ...schemes, `https://1.1.1.1/${"x".repeat(2_100)}`]) {
      const { code } = await ann.refused("push_subscribe", { endpoint, keys });
      expect(code).toBe("bad_request");
    }
    const endpoint = "https://1.1.1.1/x";
    const zero = Buffer.alloc(65, 4).toString("base64url");
    for (const wrong of [
      { p256dh: zero, auth },
      { p256dh, auth: "AA" },
      { p256dh: "", auth },
    ]) {
      const { code } = await ann.refused("push_subscribe", { endpoint, keys: wrong });
      expect(code).toBe("bad_request");
    }
    await ann.must("push_subscribe", { endpoint, keys });
  });

  test("[NT13] a gateway without keys has no Web Push", async () => {
    await using gateway = await startWithStore();
    const ann = await gateway.connect({ sub: "ann" });
    expect((await ann.refused("push_key", {})).code).toBe("not_found");
    expect((await gateway.call("GET", `${PATH}/push-key`)).status).toBe(404);
  });
});
