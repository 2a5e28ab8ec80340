import { expect, test } from "bun:test";
import {
  eventually,
  type RawClient,
  startRedis,
  startTcpProxy,
  startTestGateway,
} from "@aldis/testkit";

const CHANNEL = "chat:lobby";

const offsetsOf = ({ all }: RawClient) =>
  all.filter(({ action }) => action === "message").map(({ data }) => data.offset);

const statesOf = ({ all }: RawClient) =>
  all.filter(({ action }) => action === "status").map(({ data }) => data.degraded);

test("[ST1] faults 5: Redis stops answering: clients stay and are told, publishes are refused in time, readiness says why; then all heals", async () => {
  await using redis = await startRedis();
  await using node = await startTestGateway({ config: { broker: redis.url } });
  const ann = await node.connect();
  await ann.must("subscribe", { channel: CHANNEL });
  await redis.pause();
  const refused = await node.call("POST", "/api/publish", { channel: CHANNEL, data: 1 });
  expect([refused.status, refused.body.error.code]).toEqual([503, "unavailable"]);
  await eventually("ann to be told", () => statesOf(ann).includes(true));
  const ready = await fetch(`${node.url}/health/ready`);
  expect([ready.status, (await ready.json()) as object]).toMatchObject([
    503,
    { status: "not ready", waitsFor: expect.arrayContaining(["broker"]) },
  ]);
  const bob = await node.connect({ sub: "bob" });
  await eventually("who comes to be told", () => statesOf(bob).includes(true));
  redis.resume();
  for (const client of [ann, bob])
    await eventually("the end to be told", () => statesOf(client).at(-1) === false);
  await eventually("the node to be ready", () => node.gateway.ready);
  const { offset } = await node.publish(CHANNEL, 2);
  await eventually("the message", () => offsetsOf(ann).includes(offset));
  expect(statesOf(ann)).toEqual([true, false]);
});

test("faults 8: a connection that is open and brings nothing is found and replaced", async () => {
  await using redis = await startRedis();
  await using proxy = await startTcpProxy(redis.port);
  const broker = `redis://127.0.0.1:${proxy.port}`;
  await using node = await startTestGateway({ config: { broker } });
  const ann = await node.connect();
  await ann.must("subscribe", { channel: CHANNEL });
  const deaf = proxy.deafen(/subscribe/i);
  expect(deaf).toBeGreaterThan(0);
  await eventually("it to be found", () => node.gateway.counters.redisDeafConnections > 0);
  await eventually("a message after it", async () => {
    const { offset } = await node.publish(CHANNEL, "more");
    return offsetsOf(ann).includes(offset);
  });
  await eventually("the node to be ready", () => node.gateway.ready);
});

test("the way through each shard is measured", async () => {
  await using redis = await startRedis();
  const config = { broker: redis.url, metrics: { public: true } };
  await using node = await startTestGateway({ config });
  await eventually("figures of the shard", async () => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    return ["canary", "round_trip"].every((name) =>
      new RegExp(`aldis_redis_${name}_seconds_count{shard="${redis.url}"} [1-9]`).test(text),
    );
  });
});

test("a publish whose answer is lost is not sent again by the gateway", async () => {
  await using redis = await startRedis();
  await using proxy = await startTcpProxy(redis.port);
  const broker = `redis://127.0.0.1:${proxy.port}`;
  await using node = await startTestGateway({ config: { broker } });
  await node.publish(CHANNEL, 0);
  proxy.frozenToClient = true;
  const lost = node.call("POST", "/api/publish", { channel: CHANNEL, data: 1 });
  await eventually(
    "it to be published",
    async () => (await redis.cli("HGET", `aldis:{0}:meta:default/${CHANNEL}`, "o")) === "2",
  );
  proxy.cut();
  proxy.frozenToClient = false;
  expect((await lost).status).toBe(503);
  await eventually("Redis to be back", async () => {
    const body = { channel: CHANNEL, data: 2 };
    return (await node.call("POST", "/api/publish", body)).status === 200;
  });
  const { body } = await node.call("GET", `/api/channels/${encodeURIComponent(CHANNEL)}/history`);
  expect(body.publications.map(({ data }: { data: number }) => data)).toEqual([0, 1, 2]);
});
