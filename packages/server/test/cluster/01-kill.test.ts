import { expect, test } from "bun:test";
import { eventually, runClusterFault, startRedis, usersIn } from "@aldis/testkit";
import { FAST, REDIS_IS_WELL } from "./support/fast-cluster.ts";

const MIB = 1024 * 1024;

test("[P1] faults 1: `kill -9` of a node in the middle of a broadcast to a thousand subscribers: they resume elsewhere, nothing is lost or doubled, and whoever does not return leaves with the lease", async () => {
  await using redis = await startRedis();
  const crowd = { subscribers: 1_000, processes: 2 };
  const load = { crowd, publishers: 2, channels: ["load:a"], pauseMs: 200, warmUp: 10 };
  const sdk = { backoff: { minMs: 100, maxMs: 5_000 }, connectTimeoutMs: 30_000 };
  // What so many clients ask of two cores is no sign of death.
  const config = { ...FAST, heartbeat: {}, redis: { commandTimeoutMs: 5_000 } };
  const allow = { heapBytes: 64 * MIB, rssBytes: 512 * MIB };
  const report = await runClusterFault(
    { config, redis, ...load, sdk, allow },
    async ({ cluster, published, allConnected }) => {
      const [doomed, other] = [cluster.node(0), cluster.node(1)];
      const leaver = await doomed.gateway.connect({ sub: "leaver" });
      await leaver.must("subscribe", { channel: "load:a" });
      await eventually("it is present", async () =>
        (await usersIn(other.gateway, "load:a")).includes("leaver"),
      );
      await published(3);
      await doomed.kill();
      await leaver.closed;
      await allConnected();
      await eventually("its lease is over", async () => {
        return !(await usersIn(other.gateway, "load:a")).includes("leaver");
      });
      await published(5);
      await doomed.start();
      await published(5);
    },
  );
  expect(report.resumes.recovered).toBeGreaterThanOrEqual(300);
  expect(report.refused).toBeEmpty();
});

test("[P1] faults 1: nodes are killed one after another while everybody publishes", async () => {
  await using redis = await startRedis();
  const report = await runClusterFault(
    { ...REDIS_IS_WELL, redis, subscribers: 20, publishers: 6, patient: true },
    async ({ cluster, published, allConnected }) => {
      for (const node of cluster.nodes) {
        await published(30);
        await node.kill();
        await published(30);
        await node.start();
        await allConnected();
      }
    },
  );
  expect(report.resumes.recovered).toBeGreaterThan(20);
});
