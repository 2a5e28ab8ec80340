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

test("P5: an empty Redis, and a second node at it, are no trouble that is told or counted", async () => {
  await using redis = await startRedis();
  // Commands that a busy machine makes late would be counted.
  const config = { broker: redis.url, redis: { commandTimeoutMs: 10_000 } };
  await using first = await startTestGateway({ config });
  await eventually("somebody to lead", () =>
    first.logged.some((line) => line.includes("takes what comes in")),
  );
  await using second = await startTestGateway({ config });
  await first[Symbol.asyncDispose]();
  await eventually("the other to lead", () =>
    second.logged.some((line) => line.includes("takes what comes in")),
  );
  const keys = await redis.cli("XINFO", "GROUPS", "aldis:ingest");
  expect(keys).toContain("entries-read");
  for (const { logged, gateway } of [first, second]) {
    expect(logged.filter((line) => line.includes("cannot be used"))).toEqual([]);
    expect(gateway.counters.redisCommandsFailed).toBe(0);
  }
});
