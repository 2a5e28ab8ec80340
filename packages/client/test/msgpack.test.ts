/** The client in MessagePack, and bytes in both codecs, against a real gateway. */
import { describe, expect, test } from "bun:test";
import { eventually, startTcpProxy, startTestGateway, type TestGateway } from "@aldis/testkit";
import { type Client, type ClientOptions, createClient, type Message } from "../src/index.ts";
import { msgpack } from "../src/msgpack.ts";

const LOBBY = "chat:lobby";
const BYTES = Uint8Array.from([0, 1, 127, 128, 254, 255]);

async function connected(
  gateway: TestGateway,
  options: Partial<ClientOptions> & { sub?: string } = {},
): Promise<Client & Disposable> {
  const { sub = "ann", ...rest } = options;
  const token = await gateway.token({ sub });
  const backoff = { minMs: 1, maxMs: 20 };
  const client = createClient({ url: gateway.wsUrl, token, backoff, ...rest });
  client.connect();
  await client.ready();
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

function watch(client: Client): Message[] {
  const seen: Message[] = [];
  client.subscribe(LOBBY).on("message", (message) => seen.push(message));
  return seen;
}

describe("[MP2] a client with `codec: msgpack`", () => {
  test("publishes, receives, reads history and presence, sends, and asks for errors", async () => {
    const namespaces = { chat: { history: { size: 10 }, presence: true } };
    await using gateway = await startTestGateway({ config: { namespaces } });
    using ann = await connected(gateway, { codec: msgpack });
    using bob = await connected(gateway, { sub: "bob" });
    const seen = [watch(ann), watch(bob)];
    await eventually("both", async () => (await ann.presence(LOBBY)).count === 2);
    const marked = `\ufeff${"x".repeat(100)}`;
    const odd = [marked, { constructor: 1, toJSON: 1 }];
    const values = [null, 0.5, 2 ** 40, "ü\u{1f600}", [[]], { a: { b: 1 } }, ...odd];
    for (const data of values) await ann.publish(LOBBY, data, { event: "e" });
    await eventually("all", () => seen.every(({ length }) => length === values.length));
    for (const list of seen) expect(list.map(({ data }) => data)).toEqual(values);
    const { publications } = await ann.history(LOBBY);
    expect(publications).toEqual(seen[0] as Message[]);
    const direct: unknown[] = [];
    bob.on("direct", ({ data }) => direct.push(data));
    expect(await ann.send({ user: "bob" }, { text: "psst" })).toEqual({ delivered: 1 });
    await eventually("the direct message", () => direct.length === 1);
    expect(direct).toEqual([{ text: "psst" }]);
    await expect(ann.publish("no way", 1)).rejects.toMatchObject({ code: "bad_channel" });
    expect(await ann.ping()).toBeGreaterThanOrEqual(0);
  });

  test("P1: recovers after cuts, and repeats what was not answered", async () => {
    const namespaces = { chat: { history: { size: 1_000 } } };
    await using gateway = await startTestGateway({ config: { namespaces } });
    const proxy = startTcpProxy(gateway.gateway.port);
    using ann = await connected(gateway, {
      codec: msgpack,
      url: `ws://127.0.0.1:${proxy.port}/ws`,
    });
    const seen = watch(ann);
    // What is published before the subscription stands is not missed, but none of it comes.
    await ann.subscribe(LOBBY).ready;
    const published: Promise<unknown>[] = [];
    for (let n = 0; n < 60; n++) {
      published.push(ann.publish(LOBBY, n));
      await gateway.publish(LOBBY, `http ${n}`);
      if (n % 15 === 7) proxy.cut();
    }
    await Promise.all(published);
    await eventually("everything", () => seen.length === 120);
    expect(seen.map(({ offset }) => offset)).toEqual(Array.from({ length: 120 }, (_, i) => i + 1));
    await proxy[Symbol.asyncDispose]();
  });

  test("[FR5] what is over the frame limit as MessagePack alone is refused here, not by a 1009", async () => {
    await using gateway = await startTestGateway();
    using ann = await connected(gateway, { codec: msgpack });
    // Three characters of JSON each, nine bytes of MessagePack.
    const tooLong = Array.from({ length: 10_000 }, () => 0.5);
    expect(JSON.stringify(tooLong).length).toBeLessThan(50_000);
    await expect(ann.publish(LOBBY, tooLong)).rejects.toMatchObject({ code: "too_large" });
    await expect(ann.send({ user: "bob" }, tooLong)).rejects.toMatchObject({ code: "too_large" });
    await ann.publish(LOBBY, tooLong.slice(0, 5_000));
    await ann.publish(LOBBY, new Uint8Array(30_000));
  });

  test("half of a surrogate pair goes as U+FFFD", async () => {
    await using gateway = await startTestGateway();
    using ann = await connected(gateway, { codec: msgpack });
    const seen = watch(ann);
    await ann.publish(LOBBY, "a\ud800b");
    await eventually("it", () => seen.length === 1);
    expect(seen[0]?.data).toBe("a\ufffdb");
  });
});

test("[PB7] [MP5] bytes go and come as bytes, whichever codec", async () => {
  const namespaces = { chat: { history: { size: 10 } } };
  await using gateway = await startTestGateway({ config: { namespaces } });
  using json = await connected(gateway, { sub: "ann" });
  using packed = await connected(gateway, { sub: "bob", codec: msgpack });
  const seen = [watch(json), watch(packed)];
  const direct: unknown[] = [];
  for (const client of [json, packed]) client.on("direct", ({ data }) => direct.push(data));
  await Promise.all([json.ping(), packed.ping()]);
  const long = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251);
  for (const client of [json, packed]) {
    await client.publish(LOBBY, BYTES);
    await client.publish(LOBBY, long, { event: "long" });
  }
  await json.send({ user: "bob" }, BYTES);
  await packed.send({ user: "ann" }, BYTES);
  await eventually("all", () => seen.every(({ length }) => length === 4) && direct.length === 2);
  for (const list of [...seen, (await json.history(LOBBY)).publications]) {
    expect(list.map(({ data }) => data)).toEqual([BYTES, long, BYTES, long]);
  }
  const { publications } = await packed.history(LOBBY);
  expect(publications.map(({ data }) => data)).toEqual([BYTES, long, BYTES, long]);
  expect(direct).toEqual([BYTES, BYTES]);
});

test("[PB7] [SE3] [SU2] bytes that were missed come as bytes, from a session and from positions, whichever codec", async () => {
  const namespaces = { chat: { history: { size: 10 } } };
  for (const resumeMs of [120_000, 0]) {
    await using gateway = await startTestGateway({ config: { namespaces, session: { resumeMs } } });
    await using proxy = startTcpProxy(gateway.gateway.port);
    const url = `ws://127.0.0.1:${proxy.port}/ws`;
    using json = await connected(gateway, { url });
    using packed = await connected(gateway, { url, sub: "bob", codec: msgpack });
    using writer = await connected(gateway, { sub: "writer" });
    const seen = [watch(json), watch(packed)];
    await Promise.all([json, packed].map((client) => client.subscribe(LOBBY).ready));
    proxy.accepting = false;
    proxy.cut();
    await writer.publish(LOBBY, BYTES);
    proxy.accepting = true;
    await eventually("both", () => seen.every(({ length }) => length === 1));
    for (const [message] of seen) expect(message?.data).toEqual(BYTES);
  }
});
