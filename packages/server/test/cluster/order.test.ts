import { expect, test } from "bun:test";
import { createSeededRandom, runClusterFault, startRedis } from "@aldis/testkit";
import { REDIS_IS_WELL } from "./support/fast-cluster.ts";

test("[P1] faults 18: random publishes from all nodes while clients are cut and come back to other nodes: in order, none missing, none twice", async () => {
  await using redis = await startRedis();
  const random = createSeededRandom(18);
  let cuts = 0;
  const channels = ["load:a", "load:b", "load:c"];
  const clients = { subscribers: 30, publishers: 9, channels };
  const report = await runClusterFault({ ...REDIS_IS_WELL, redis, ...clients }, async (run) => {
    for (let round = 0; round < 30; round++) {
      await run.published(20);
      cuts += run.cluster.balancer.proxy.cutSome(0.05, random);
    }
    await run.allConnected();
  });
  expect(cuts).toBeGreaterThan(30);
  expect(report.resumes.possible).toBeGreaterThan(cuts / 2);
  expect(report.resumes.recovered).toBe(report.resumes.possible);
  expect(report.refused).toBeEmpty();
});
