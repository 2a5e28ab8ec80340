import { afterAll, beforeAll } from "bun:test";
import {
  createSeededRandom,
  type RedisClusterSet,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from "@aldis/testkit";
import { configSchema } from "../../config/schema.ts";
import { createCounters } from "../../observe/counters.ts";
import { openShards } from "../../redis/shards.ts";
import { type BrokerSetup, brokerContract } from "../broker.contract.ts";
import { RedisBroker } from "./redis-broker.ts";

let single: RedisServer;
let other: RedisServer;
let cluster: RedisClusterSet;
let opened = 0;

beforeAll(async () => {
  [single, other, cluster] = await Promise.all([startRedis(), startRedis(), startRedisCluster()]);
});
afterAll(async () => {
  for (const server of [single, other, cluster]) await server[Symbol.asyncDispose]();
});

async function open(urls: string[], { clock, deliver, limits }: BrokerSetup) {
  const redis = { prefix: `contract-${++opened}`, commandTimeoutMs: 5_000 };
  const shards = openShards(configSchema.parse({ broker: urls, redis }));
  if (shards === undefined) throw new Error("a broker was configured");
  const times = () => ({ nowMs: clock.monotonicMs(), atMs: clock.nowMs() });
  const broker = new RedisBroker(
    {
      shards,
      clock,
      random: createSeededRandom(opened),
      deliver,
      times,
      counters: createCounters(),
    },
    { ...limits, commandTimeoutMs: 5_000 },
  );
  return Object.assign(broker, {
    async close() {
      RedisBroker.prototype.close.call(broker);
      await shards.close();
    },
  });
}

const SERVER = { bounds: "server" } as const;
brokerContract("redis", (setup) => open([single.url], setup), SERVER);
brokerContract("two shards", (setup) => open([single.url, other.url], setup), SERVER);
brokerContract("redis cluster", (setup) => open([cluster.url], setup), SERVER);
