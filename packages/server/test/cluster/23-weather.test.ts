import { expect, test } from "bun:test";
import { createSeededRandom, runClusterFault, startRedis } from "@aldis/testkit";
import { FAST, FAST_RUN } from "./support/fast-cluster.ts";

test("[P1] faults 23: a slow and lossy link between one node and Redis, and between clients and nodes: late, in order, whole", async () => {
  await using redis = await startRedis();
  const random = createSeededRandom(23);
  const config = { ...FAST, redis: { commandTimeoutMs: 5_000 } };
  const report = await runClusterFault(
    { ...FAST_RUN, config, redis, patient: true },
    async ({ cluster, published }) => {
      cluster.node(0).link.weather = { delayMs: 40, loss: 0.02, random };
      await published(100);
      cluster.balancer.proxy.weather = { delayMs: 100, loss: 0.05, random };
      await published(100);
      cluster.balancer.proxy.weather = undefined;
      cluster.node(0).link.weather = undefined;
    },
  );
  expect(report.during.breaks).toBe(0);
});

test("[P1] faults 23: links to Redis that are cut and slow again and again, one node after another", async () => {
  await using redis = await startRedis();
  const random = createSeededRandom(9);
  await runClusterFault({ ...FAST_RUN, redis, patient: true }, async ({ cluster, published }) => {
    for (let round = 0; round < 9; round++) {
      const { link } = cluster.node(round % 3);
      link.weather = { delayMs: random.between(1, 30), loss: 0.02, random };
      await published(20);
      link.cut();
      await published(20);
      link.weather = undefined;
    }
  });
});
