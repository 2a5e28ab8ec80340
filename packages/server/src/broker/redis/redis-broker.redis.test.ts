import { afterAll, beforeAll } from "bun:test";
import { createSeededRandom, type RedisServer, startRedis } from "@aldis/testkit";
import { configSchema } from "../../config/schema.ts";
import { openShards } from "../../redis/shards.ts";
import { brokerContract } from "../broker.contract.ts";
import { RedisBroker } from "./redis-broker.ts";

let server: RedisServer;
let opened = 0;

beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

brokerContract(
  "redis",
  ({ clock, deliver, limits }) => {
    const prefix = `contract-${++opened}`;
    const shards = openShards(configSchema.parse({ broker: server.url, redis: { prefix } }));
    if (shards === undefined) throw new Error("a broker was configured");
    const times = () => ({ nowMs: clock.monotonicMs(), atMs: clock.nowMs() });
    const broker = new RedisBroker(
      { shards, clock, random: createSeededRandom(opened), deliver, times },
      { ...limits, commandTimeoutMs: 1_000 },
    );
    return Object.assign(broker, {
      async close() {
        RedisBroker.prototype.close.call(broker);
        await shards.close();
      },
    });
  },
  { bounds: "server" },
);
