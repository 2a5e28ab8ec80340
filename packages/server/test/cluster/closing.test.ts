import { expect, test } from "bun:test";
import { eventually, startRedis, startTestGateway } from "@aldis/testkit";

test("faults 5: a node ends while its Redis hangs, while it is away, and when it never was there", async () => {
  await using redis = await startRedis();
  const start = () => startTestGateway({ config: { broker: redis.url } });
  const [first, second] = [await start(), await start()];
  await eventually("one of them to take what comes in", async () => {
    return (await redis.cli("KEYS", "*:lease:ingest")) !== "";
  });
  await redis.pause();
  await first.gateway.close();
  redis.resume();
  await redis.stop();
  await second.gateway.close();
  const third = await startTestGateway({ config: { broker: redis.url }, awaits: "nothing" });
  await third.gateway.close();
  expect([first, second, third].map(({ gateway }) => gateway.ready)).toEqual([false, false, false]);
}, 30_000);
