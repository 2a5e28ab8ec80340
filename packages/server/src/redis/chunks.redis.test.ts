import { expect, test } from "bun:test";
import { eventually, startRedis } from "@aldis/testkit";
import { configSchema } from "../config/schema.ts";
import { openShards } from "./shards.ts";

test("messages that come in one chunk are handed on in one turn: their frames leave in one write", async () => {
  await using redis = await startRedis();
  const shards = openShards(configSchema.parse({ broker: redis.url }));
  if (shards === undefined) throw new Error("shards were configured");
  const { shard, keys } = shards.home;
  const turns: number[] = [];
  let turn = 0;
  let running = true;
  const count = () => {
    turn++;
    if (running) setImmediate(count);
  };
  count();
  await shard.topics.subscribe(keys.key("topic"), () => turns.push(turn));
  const lua = "for n = 1, 200 do redis.call('PUBLISH', KEYS[1], n) end";
  await shard.run({ name: "burst", lua }, [keys.key("topic")], []);
  await eventually("all messages", () => turns.length === 200);
  running = false;
  expect(new Set(turns).size).toBeLessThanOrEqual(2);
  await shards.close();
});
