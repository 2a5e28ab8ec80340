import { expect, test } from "bun:test";
import {
  eventually,
  makeCertificates,
  moveSlots,
  type RawClient,
  type RedisServer,
  startRedis,
  startRedisCluster,
  startSentinelSet,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";

const CHANNELS = Array.from({ length: 24 }, (_, n) => `chat:${n}`);

/** Two gateways over the same Redis, which go with what is returned. */
async function startTwo(
  broker: string | string[],
  redis = {},
): Promise<AsyncDisposable & { readonly nodes: readonly [TestGateway, TestGateway] }> {
  const config = { broker, redis, namespaces: { chat: { wildcard: true } } };
  const nodes = await Promise.all([startTestGateway({ config }), startTestGateway({ config })]);
  return {
    nodes,
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}

function heard({ all }: RawClient): string[] {
  return all
    .filter(({ action }) => action === "message")
    .map(({ data: { channel, offset } }) => `${channel} ${offset}`);
}

/** A client on the first node that is subscribed to all channels. */
async function subscribeAll(node: TestGateway): Promise<RawClient> {
  const client = await node.connect();
  for (const channel of CHANNELS) await client.must("subscribe", { channel });
  return client;
}

/** Publishes until it is acknowledged; gives what was. */
async function publishAll(node: TestGateway, n: number): Promise<void> {
  for (const channel of CHANNELS) {
    await eventually(`${channel} to take a publish`, async () => {
      const body = { channel, data: n, idempotencyKey: `${channel} ${n}` };
      return (await node.call("POST", "/api/publish", body)).status === 200;
    });
  }
}

const upTo = (top: number) =>
  CHANNELS.flatMap((channel) =>
    Array.from({ length: top }, (_, n) => `${channel} ${n + 1}`),
  ).toSorted();

test("a Redis Cluster: channels of all masters, patterns among them", async () => {
  await using redis = await startRedisCluster();
  await using both = await startTwo(redis.url);
  const [one, two] = both.nodes;
  const ann = await subscribeAll(one);
  const all = await one.connect({ sub: "all" });
  await all.must("subscribe", { channel: "chat:*" });
  await publishAll(two, 1);
  await publishAll(two, 2);
  for (const client of [ann, all]) {
    await eventually("all messages", () => heard(client).length >= 2 * CHANNELS.length);
    expect(heard(client).toSorted()).toEqual(upTo(2));
  }
});

test("a Redis Cluster whose slots move goes on, and nothing is missed", async () => {
  await using redis = await startRedisCluster();
  await using both = await startTwo(redis.url);
  const [one, two] = both.nodes;
  const ann = await subscribeAll(one);
  await publishAll(two, 1);
  const [from, to] = redis.servers as [RedisServer, RedisServer];
  await moveSlots(from, to, redis.servers);
  await publishAll(two, 2);
  await publishAll(two, 3);
  await eventually("all, also what was published on the way", () => heard(ann).length >= 72);
  expect(heard(ann).toSorted()).toEqual(upTo(3));
});

test("faults 7: a Sentinel set fails over, and channels go on", async () => {
  await using redis = await startSentinelSet();
  await using both = await startTwo(redis.url);
  const [one, two] = both.nodes;
  const ann = await subscribeAll(one);
  await publishAll(two, 1);
  await redis.failOver();
  await publishAll(two, 2);
  await publishAll(two, 3);
  await eventually("all messages", () => heard(ann).length >= 72);
  expect(heard(ann).toSorted()).toEqual(upTo(3));
});

test("TLS with a CA of one's own", async () => {
  using certificates = makeCertificates();
  await using redis = await startRedis({ tls: certificates });
  await using both = await startTwo(redis.url, { caFile: certificates.caFile });
  const [one, two] = both.nodes;
  const ann = await subscribeAll(one);
  await publishAll(two, 1);
  await eventually("all messages", () => heard(ann).length === CHANNELS.length);
});

test("several shards: each has some of the channels, patterns hear those of all", async () => {
  await using a = await startRedis();
  await using b = await startRedis();
  await using both = await startTwo([a.url, b.url]);
  const [one, two] = both.nodes;
  const ann = await subscribeAll(one);
  const all = await one.connect({ sub: "all" });
  await all.must("subscribe", { channel: "chat:*" });
  await publishAll(two, 1);
  for (const client of [ann, all]) {
    await eventually("all messages", () => heard(client).length === CHANNELS.length);
  }
  for (const shard of [a, b]) expect(Number(await shard.cli("DBSIZE"))).toBeGreaterThan(5);
});
