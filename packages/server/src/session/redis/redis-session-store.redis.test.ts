import { afterAll, afterEach, beforeAll } from "bun:test";
import { type RedisServer, startRedis } from "@aldis/testkit";
import { sessionStoreContract } from "../session-store.contract.ts";
import { SessionCluster } from "./test/session-cluster.ts";

let redis: RedisServer;
const opened: SessionCluster[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  for (const cluster of opened.splice(0)) await cluster.close();
});
afterAll(() => redis[Symbol.asyncDispose]());

let benches = 0;
sessionStoreContract("Redis", (options) => {
  const cluster = new SessionCluster(redis, `bench${benches++}`, options);
  opened.push(cluster);
  const { store, live } = cluster.open("one");
  const { clock } = cluster;
  return { store, clock, live, marginMs: 1_500, advance: (ms) => cluster.advance(ms) };
});
