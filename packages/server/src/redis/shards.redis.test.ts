import { expect, test } from "bun:test";
import { eventually, startRedis } from "@aldis/testkit";
import { configSchema } from "../config/schema.ts";
import { openShards } from "./shards.ts";

test("scripts and topics go to the shard of a name", async () => {
  await using one = await startRedis();
  await using two = await startRedis();
  const { broker, redis } = configSchema.parse({ broker: [one.url, two.url] });
  const shards = openShards({ broker, redis });
  if (shards === undefined) throw new Error("shards were configured");
  const used = new Set<string>();
  const heard: string[] = [];
  for (const name of ["a", "b", "c", "d", "e", "f", "g", "h"]) {
    const { shard, keys } = shards.place(name);
    used.add(shard.name);
    const topic = keys.key("topic", name);
    await shard.topics.subscribe(topic, (message) => heard.push(message));
    const set = { name: "testSet", keys: 1, lua: "return redis.call('SET', KEYS[1], ARGV[1])" };
    expect(await shard.run(set, [keys.key("test", name)], [name])).toBe("OK");
    await shard.call("PUBLISH", topic, name);
  }
  await eventually("all topics to be heard", () => heard.length === 8);
  expect(heard.toSorted().join("")).toBe("abcdefgh");
  expect(used).toEqual(new Set([one.url, two.url]));
  await shards.close();
});
