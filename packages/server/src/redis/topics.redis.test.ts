import { expect, test } from "bun:test";
import { eventually, moveSlots, type RedisServer, startRedisCluster } from "@aldis/testkit";
import { configSchema } from "../config/schema.ts";
import { openShards } from "./shards.ts";

test("topics of a Redis Cluster follow their slots, to another master and back", async () => {
  await using set = await startRedisCluster();
  // Nothing takes it away: what takes long is a busy machine.
  const redis = { commandTimeoutMs: 10_000 };
  const shards = openShards(configSchema.parse({ broker: set.url, redis }));
  if (shards === undefined) throw new Error("shards were configured");
  const { shard } = shards.home;
  const heard = new Set<string>();
  let rebuilt = 0;
  shard.topics.onRebuilt(() => rebuilt++);
  for (const keys of shard.partitions) {
    await shard.call("SET", keys.key("here"), "1");
    await shard.topics.subscribe(keys.key("topic"), (message) => heard.add(message));
  }
  const [one, two] = set.servers as [RedisServer, RedisServer];
  for (const [from, to] of [
    [one, two],
    [two, one],
  ] as const) {
    const before = rebuilt;
    await moveSlots(from, to, set.servers);
    for (const [n, keys] of shard.partitions.entries()) {
      await eventually(`partition ${n} to be heard`, async () => {
        await shard.call("SPUBLISH", keys.key("topic"), `${before} ${n}`);
        return heard.has(`${before} ${n}`);
      });
    }
    await eventually("the move to be told", () => rebuilt > before);
  }
  expect(heard.size).toBe(2 * shard.partitions.length);
  await shards.close();
});
