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

test("faults 5: why a Redis cannot be used stands in the log: a wrong password, no password, a replica, nobody there", async () => {
  await using redis = await startRedis();
  const told = async (broker: string, error: string) => {
    await using node = await startTestGateway({ config: { broker }, awaits: "nothing" });
    await eventually(`the log to say ${error}`, () =>
      node.logged.some((line) => {
        const { msg, error: said } = JSON.parse(line);
        return msg === "a Redis cannot be used" && said.includes(error);
      }),
    );
    expect(node.gateway.ready).toBe(false);
    expect(node.logged.join()).not.toContain("guessed");
  };
  await redis.cli("REPLICAOF", "127.0.0.1", "1");
  await told(redis.url, "READONLY");
  await redis.cli("CONFIG", "SET", "requirepass", "secret");
  await told(redis.url, "NOAUTH");
  await told(redis.url.replace("//", "//:guessed@"), "WRONGPASS");
  await redis.stop();
  await told(redis.url, "ECONNREFUSED");
});
