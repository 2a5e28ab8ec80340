import { expect, test } from "bun:test";
import { addFieldToHashes, type RedisServer, runClusterFault, startRedis } from "@aldis/testkit";
import { REDIS_IS_WELL } from "./support/fast-cluster.ts";

/** What a later version might say, and what nobody should. */
const STRANGE = [
  '{"v":99,"kind":"future","body":{"x":1}}',
  '{"kind":"future"}',
  '["v",99]',
  "99 future ...",
  "null",
  "",
  "\u0001\u00ff",
  "x".repeat(100_000),
];

test("[P1] faults 36: messages and fields of another version on every topic and in every record: passed over, nothing is lost", async () => {
  await using redis = await startRedis();
  const report = await runClusterFault({ ...REDIS_IS_WELL, redis }, async (run) => {
    for (let round = 0; round < 5; round++) {
      await run.published(20);
      await sayOnEveryTopic(redis);
      expect(await addFieldToHashes(redis, "later")).toBeGreaterThan(0);
      // Whoever comes back is given what these records hold.
      run.cluster.balancer.proxy.cut();
      await run.allConnected();
    }
    await run.cluster.node(0).kill();
    await run.allConnected();
    await run.published(20);
    await run.cluster.node(0).start();
    for (const { gateway } of run.cluster.running) {
      expect((await gateway.sample()).counters.faults).toBe(0);
    }
  });
  expect(report.resumes.recovered).toBe(report.resumes.possible);
});

async function sayOnEveryTopic(redis: RedisServer): Promise<void> {
  const topics = (await redis.cli("PUBSUB", "CHANNELS")).split("\n");
  for (const topic of topics) {
    for (const words of STRANGE) await redis.cli("PUBLISH", topic, words);
  }
}
