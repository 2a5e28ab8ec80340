import { expect, test } from "bun:test";
import { eventually, startRedis, startTestGateway } from "@aldis/testkit";

test("[HT3] a node lets nobody in before it has found its Redis, and then it does", async () => {
  await using redis = await startRedis();
  await redis.stop();
  await using node = await startTestGateway({ config: { broker: redis.url }, awaits: "nothing" });
  expect((await fetch(`${node.url}/health/ready`)).status).toBe(503);
  expect((await fetch(`${node.url}/health/live`)).status).toBe(200);
  const refused = await fetch(`${node.url}/ws`, { headers: { upgrade: "websocket" } });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(node.gateway.counters.upgradesRefused["starting"]).toBe(1);
  await redis.restart();
  await eventually("the node to be ready", () => node.gateway.ready);
  const client = await node.connect();
  await client.close();
});
