/** The client at the gateway's limits: a legal one never meets them, and who meets them comes back as told. */
import { expect, test } from "bun:test";
import {
  createFakeClock,
  eventually,
  startTcpProxy,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";
import type { AldisError } from "../src/index.ts";
import { FakeClock } from "./support/fake-clock.ts";
import { clientOf, watch } from "./support/real-clients.ts";

/** As they are without a configuration. */
const DEFAULTS = {
  commandsPerSecond: 100,
  bytesPerSecond: 1024 * 1024,
  messagesPerUserPerMinute: 120,
  connectionsPerUser: 10,
};

test("[LI5] 256 channels, whose session is lost again and again, meet no default rate", async () => {
  const config = { limits: DEFAULTS, session: { resumeMs: 0 } };
  await using gateway = await startTestGateway({ config });
  await using proxy = await startTcpProxy(gateway.gateway.port);
  const url = gateway.wsUrl.replace(String(gateway.gateway.port), String(proxy.port));
  using client = clientOf({ url, token: await gateway.token() });
  const last = new Map<string, unknown>();
  let subscribed = 0;
  const names = Array.from({ length: 256 }, (_, n) => `chat:${n}`);
  for (const name of names) {
    const subscription = client.subscribe(name);
    subscription.on("message", ({ data }) => last.set(name, data));
    subscription.on("subscribed", () => {
      subscribed++;
    });
  }
  for (let round = 1; round <= 4; round++) {
    await eventually("all channels are joined", () => subscribed >= 256 * round);
    await gateway.publish("chat:7", round);
    await eventually("it has come", () => last.get("chat:7") === round);
    await client.publish("chat:8", round);
    proxy.cut();
  }
  expect(gateway.gateway.counters.rateLimited).toEqual({});
  expect(gateway.gateway.counters.commandsRefused).toEqual({});
});

test("[LI6] what was published while away goes out at the pace that the gateway allows, in order, nothing lost, and without a close", async () => {
  const config = { limits: { ...DEFAULTS, commandsPerSecond: 0, messagesPerUserPerMinute: 1_200 } };
  await using gateway = await startTestGateway({ config });
  const reader = await gateway.connect({ sub: "reader" });
  await reader.must("subscribe", { channel: "chat:lobby" });
  const writer = await gateway.connect();
  for (let n = 0; n < 1_200; n += 1) writer.send("publish", { channel: "chat:x", data: n });
  await writer.settle().catch(() => {});
  using client = clientOf({ url: gateway.wsUrl, token: await gateway.token() });
  const all = Array.from({ length: 25 }, (_, n) => n);
  await Promise.all(all.map((data) => client.publish("chat:lobby", data)));
  await reader.settle();
  const seen = reader.all.filter(({ action }) => action === "message").map(({ data }) => data.data);
  expect(seen).toEqual(all);
  expect(gateway.gateway.counters.rateLimited["messages"]).toBeGreaterThan(0);
  expect(gateway.gateway.counters.connectionsClosedBy).toEqual({});
}, 30_000);

test("[LI6] a publish over the rate rejects with its code and how long to wait", async () => {
  const config = { limits: { messagesPerUserPerMinute: 1 } };
  await using gateway = await startTestGateway({ config, clock: createFakeClock() });
  using client = clientOf({ url: gateway.wsUrl, token: await gateway.token() });
  await client.ready();
  await client.publish("chat:lobby", 1);
  const refused = (await client.publish("chat:lobby", 2).catch((error) => error)) as AldisError;
  expect(refused).toMatchObject({ code: "rate_limited", temporary: true, retryAfterMs: 60_000 });
});

test("[LI2] an address that tries too often is a failed connection to the client, and its backoff gets it in", async () => {
  const clock = createFakeClock();
  const config = { limits: { connectionAttemptsPerMinute: 1 } };
  await using gateway = await startTestGateway({ config, clock });
  await (await gateway.connect()).close();
  using client = clientOf({ url: gateway.wsUrl, token: await gateway.token() });
  await eventually("it was refused more than once", () => {
    return (gateway.gateway.counters.upgradesRefused["attempts"] ?? 0) >= 2;
  });
  expect(client.state.name).not.toBe("closed");
  clock.advance(60_000);
  await client.ready();
});

/** A client whose time stands still, at a real gateway: what it waits for is seen, and need not be waited for. */
async function stillClientOf(gateway: TestGateway, sub = "ann") {
  const clock = new FakeClock();
  const client = clientOf({ url: gateway.wsUrl, token: await gateway.token({ sub }), clock });
  const isWaiting = () => (client.state.name === "waiting" ? client.state : undefined);
  return Object.assign(client, { clock, waiting: () => eventually("it waits", isWaiting) });
}

test("[LI4] [LI9] one too many of a user waits as long as it was told to, and then gets in", async () => {
  await using gateway = await startTestGateway({ config: { limits: { connectionsPerUser: 1 } } });
  const first = await gateway.connect();
  using client = await stillClientOf(gateway);
  const { cause } = await client.waiting();
  expect(cause).toMatchObject({ code: "limit_reached", closeCode: 4009, retryAfterMs: 30_000 });
  await first.close();
  await eventually("there is room", () => gateway.gateway.connections === 0);
  await client.clock.advance(29_999);
  expect(client.state.name).toBe("waiting");
  await client.clock.advance(21);
  await client.ready();
});

test("[LI8] [LI9] who goes on after refusals is closed, waits as long as it was told to, and recovers", async () => {
  const namespaces = { chat: { history: { size: 10 } } };
  const limits = { messagesPerUserPerMinute: 1, refusalsPerMinute: 3 };
  await using gateway = await startTestGateway({ config: { limits, namespaces } });
  using client = await stillClientOf(gateway);
  const sub = client.subscribe("chat:lobby");
  const seen = watch(sub);
  await sub.ready;
  await client.publish("chat:lobby", 1);
  const refused = Array.from({ length: 4 }, (_, n) => client.publish("chat:lobby", n));
  const errors = await Promise.allSettled(refused);
  expect(errors.map(({ status }) => status)).not.toContain("fulfilled");
  const { cause } = await client.waiting();
  expect(cause).toMatchObject({ code: "rate_limited", closeCode: 4010 });
  const { retryAfterMs = 0 } = cause;
  expect(retryAfterMs).toBeGreaterThan(1_000);
  await gateway.publish("chat:lobby", "meanwhile");
  await client.clock.advance(retryAfterMs - 1);
  expect(client.state.name).toBe("waiting");
  await client.clock.advance(21);
  await eventually("what it missed", () => seen.data.length === 2);
  expect(seen.data).toEqual([1, "meanwhile"]);
  expect(seen.subscribed.at(-1)?.recovered).toBe(true);
});

test("[HT9] [CL1] who is disconnected by the application comes back and recovers, or stays away, as it says", async () => {
  const namespaces = { chat: { history: { size: 10 } } };
  await using gateway = await startTestGateway({ config: { namespaces } });
  using client = await stillClientOf(gateway);
  const sub = client.subscribe("chat:lobby");
  const seen = watch(sub);
  await sub.ready;
  const disconnect = (body: object) => gateway.call("POST", "/api/users/ann/disconnect", body);
  await disconnect({ reconnect: true, reason: "new rooms" });
  const { cause } = await client.waiting();
  expect(cause).toMatchObject({ closeCode: 4011, message: "new rooms", temporary: true });
  await gateway.publish("chat:lobby", "meanwhile");
  await client.clock.advance(20);
  await eventually("what it missed", () => seen.data.length === 1);
  expect(seen.subscribed.at(-1)?.recovered).toBe(true);
  await disconnect({ reason: "goodbye" });
  await eventually("it stays away", () => client.state.name === "closed");
  expect(client.state).toMatchObject({ cause: { closeCode: 4502, message: "goodbye" } });
  expect(client.clock.pending).toBe(0);
});

test("[LI1] a node that is full is a failed connection to the client, and its backoff gets it in", async () => {
  await using gateway = await startTestGateway({ config: { limits: { connectionsPerNode: 1 } } });
  const first = await gateway.connect();
  using client = clientOf({ url: gateway.wsUrl, token: await gateway.token() });
  const { upgradesRefused } = gateway.gateway.counters;
  const refused = () => Object.values(upgradesRefused).reduce((sum, n) => sum + n, 0);
  await eventually("it was refused more than once", () => refused() >= 2);
  expect(client.state.name).not.toBe("closed");
  await first.close();
  await client.ready();
});

test("[LI7] what a namespace's rate refuses may be repeated under its key, and counts once", async () => {
  const namespaces = { chat: { rate: { publishesPerSecond: 20, burst: 1 } } };
  await using gateway = await startTestGateway({ config: { namespaces } });
  using client = clientOf({ url: gateway.wsUrl, token: await gateway.token() });
  await client.ready();
  await client.publish("chat:lobby", 1);
  const options = { idempotencyKey: "two" };
  const refused = await client.publish("chat:lobby", 2, options).catch((error) => error);
  expect(refused).toMatchObject({ code: "rate_limited", temporary: true });
  expect(refused.retryAfterMs).toBeWithin(1, 51);
  const repeat = () => client.publish("chat:lobby", 2, options).catch(() => undefined);
  expect(await eventually("there is room", repeat)).toMatchObject({ offset: 2 });
  expect(await eventually("there is again", repeat)).toMatchObject({ offset: 2, duplicate: true });
});
