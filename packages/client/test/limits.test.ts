/** The client at the gateway's limits: a legal one never meets them, and who meets them comes back as told. */
import { expect, test } from "bun:test";
import { createFakeClock, eventually, startTcpProxy, startTestGateway } from "@aldis/testkit";
import { type AldisError, type Client, type ClientOptions, createClient } from "../src/index.ts";

function clientOf(options: ClientOptions): Client & Disposable {
  const client = createClient({ backoff: { minMs: 1, maxMs: 20 }, ...options });
  client.connect();
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

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
