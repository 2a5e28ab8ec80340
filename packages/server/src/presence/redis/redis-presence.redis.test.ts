import { afterAll, beforeAll } from "bun:test";
import { createFakeClock, type RedisServer, startRedis } from "@aldis/testkit";
import { presenceContract } from "../presence.contract.ts";
import { TestNode } from "./test/nodes.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

presenceContract("RedisPresence over three nodes", async (input) => {
  await redis.cli("FLUSHALL");
  const clock = createFakeClock();
  const nodes = ["a", "b", "c"].map((name) => new TestNode(name, redis.url, { clock, input }));
  await Promise.all(nodes.map((node) => node.observe()));
  async function settle() {
    // One after the other, so that what each wrote is heard in one order.
    for (const node of nodes) await node.written();
    for (const node of nodes) await node.hear();
  }
  return {
    nodes: nodes.map(({ presence }) => presence),
    settle,
    async advance(ms) {
      await settle();
      clock.advance(ms);
      await settle();
    },
    heard: (n) => nodes[n]?.heard() ?? [],
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
});
