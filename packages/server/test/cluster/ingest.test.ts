import { expect, test } from "bun:test";
import { eventually, startRedis, startTestGateway } from "@aldis/testkit";

const CONFIG = { metrics: { public: true }, ingest: { leaseMs: 600 } };

test("what a backend gives to Redis comes to subscribers on every node, once; a node that stops hands over", async () => {
  await using redis = await startRedis();
  const config = { ...CONFIG, broker: redis.url };
  const first = await startTestGateway({ config });
  await using second = await startTestGateway({ config });
  const nodes = [first, second];
  await eventually("both to be ready", () => nodes.every(({ gateway }) => gateway.ready));
  const clients = await Promise.all(
    nodes.map(async (node) => {
      const client = await node.connect();
      await client.must("subscribe", { channel: "c" });
      return client;
    }),
  );
  await eventually(
    "one to listen",
    async () => (await redis.cli("PUBSUB", "NUMSUB", "aldis:ingest")) === "aldis:ingest\n1",
  );
  await redis.cli("PUBLISH", "aldis:ingest", '{"channel":"c","data":"by topic"}');
  for (const client of clients) {
    expect(await client.next("message")).toMatchObject({ data: { data: "by topic", offset: 1 } });
  }
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", '"by stream"');
  for (const client of clients) {
    expect(await client.next("message")).toMatchObject({ data: { data: "by stream", offset: 2 } });
  }
  await first[Symbol.asyncDispose]();
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", '"after it"');
  expect(await clients[1]?.next("message")).toMatchObject({
    data: { data: "after it", offset: 3 },
  });
  await eventually(
    "it to be done with",
    async () => (await redis.cli("XLEN", "aldis:ingest")) === "0",
  );
});
