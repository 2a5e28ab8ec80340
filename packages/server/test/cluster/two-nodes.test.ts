import { expect, test } from "bun:test";
import {
  eventually,
  type RawClient,
  startRedis,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";

const CHANNEL = "chat:lobby";

/** Gateways over the same Redis. */
async function startNodes(broker: string, count: number): Promise<TestGateway[]> {
  const config = { broker, namespaces: { chat: { wildcard: true } } };
  return await Promise.all(Array.from({ length: count }, () => startTestGateway({ config })));
}

function messagesOf({ all }: RawClient) {
  return all.filter(({ action }) => action === "message").map(({ data }) => data);
}

test("[PB1] what is published on one node reaches the subscribers of all, in one order, its sender before its reply", async () => {
  await using redis = await startRedis();
  const nodes = await startNodes(redis.url, 3);
  const clients = await Promise.all(nodes.map((node, n) => node.connect({ sub: `user-${n}` })));
  for (const client of clients) await client.must("subscribe", { channel: CHANNEL });
  await Promise.all(
    clients.map(async (client, n) => {
      for (let i = 0; i < 20; i++) {
        const { offset } = await client.must("publish", { channel: CHANNEL, data: [n, i] });
        expect(messagesOf(client).map((message) => message.offset)).toContain(offset);
      }
    }),
  );
  const expected = Array.from({ length: 60 }, (_, i) => i + 1);
  for (const client of clients) {
    await eventually("all messages", () => messagesOf(client).length === 60);
    expect(messagesOf(client).map(({ offset }) => offset)).toEqual(expected);
    expect(messagesOf(client)).toEqual(messagesOf(clients[0] as RawClient));
  }
  for (const node of nodes) await node[Symbol.asyncDispose]();
});

test("[SU2] a client that comes to another node has all that it missed", async () => {
  await using redis = await startRedis();
  const [one, two] = (await startNodes(redis.url, 2)) as [TestGateway, TestGateway];
  const ann = await one.connect();
  const { epoch } = await ann.must("subscribe", { channel: CHANNEL });
  ann.socket.close();
  for (let n = 1; n <= 5; n++) await one.publish(CHANNEL, n);
  const again = await two.connect();
  const since = { offset: 2, epoch };
  const answer = await again.must("subscribe", { channel: CHANNEL, since });
  expect(answer).toMatchObject({ recovered: true, offset: 5, epoch });
  expect(answer.publications.map(({ data }: { data: number }) => data)).toEqual([3, 4, 5]);
  for (const node of [one, two]) await node[Symbol.asyncDispose]();
});

test("patterns hear what is published on another node, once, and a `*` in a name is a letter", async () => {
  await using redis = await startRedis();
  const [one, two] = (await startNodes(redis.url, 2)) as [TestGateway, TestGateway];
  const ann = await one.connect();
  await ann.must("subscribe", { channel: "chat:a*" });
  const bob = await one.connect({ sub: "bob" });
  await bob.must("subscribe", { channel: "chat:*" });
  await bob.must("subscribe", { channel: "chat:ab" });
  for (const channel of ["chat:ab", "chat:b", "chat:ac"]) await two.publish(channel, channel);
  await eventually("bob to hear all", () => messagesOf(bob).length >= 3);
  await eventually("ann to hear hers", () => messagesOf(ann).length >= 2);
  await two.publish("chat:end:a", "end");
  await eventually("the end", () => messagesOf(bob).some(({ data }) => data === "end"));
  expect(messagesOf(ann).map(({ data }) => data)).toEqual(["chat:ab", "chat:ac"]);
  expect(messagesOf(bob).map(({ data }) => data)).toEqual(["chat:ab", "chat:b", "chat:ac", "end"]);
  for (const node of [one, two]) await node[Symbol.asyncDispose]();
});
