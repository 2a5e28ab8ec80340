import { expect, test } from "bun:test";
import { eventually, runClusterFault, startRedis } from "@aldis/testkit";
import { FAST_RUN } from "./support/fast-cluster.ts";

const MIB = 1024 * 1024;
/** With 5,000 it takes a minute and more: `ALDIS_TEST_CLIENTS=5000` when there is time. */
const CLIENTS = Number(Bun.env["ALDIS_TEST_CLIENTS"] ?? 1_200);
/** As the client does by itself. */
const CALM = { backoff: { minMs: 500, maxMs: 20_000 }, connectTimeoutMs: 30_000 };

test("[P6] faults 2: SIGTERM of a node with its clients: each resumes on another one, nothing is lost, and the node ends in time", async () => {
  await using redis = await startRedis();
  const load = { subscribers: 600, publishers: 3, channels: ["load:a"], pauseMs: 50 };
  const allow = { heapBytes: 64 * MIB, rssBytes: 512 * MIB };
  const report = await runClusterFault(
    { ...FAST_RUN, redis, ...load, sdk: { ...FAST_RUN.sdk, ...CALM }, allow },
    async ({ cluster, published, allConnected }) => {
      const node = cluster.node(0);
      const { connections } = await node.gateway.sample();
      expect(connections).toBeGreaterThan(100);
      expect(await node.drain()).toBe(0);
      await allConnected();
      await published(5);
      for (const { gateway } of cluster.running) {
        const { counters } = await gateway.sample();
        expect(counters.upgradesRefused).toEqual({});
      }
      await node.start();
    },
  );
  expect(report.resumes.recovered).toBe(report.resumes.possible);
  expect(report.resumes.recovered).toBeGreaterThanOrEqual(190);
  expect(report.refused).toBeEmpty();
});

test("[P6] faults 3: a rolling restart of all nodes under load: nothing is lost, everyone is back", async () => {
  await using redis = await startRedis();
  const load = { subscribers: CLIENTS, publishers: 3, channels: ["load:a"], pauseMs: 150 };
  // A machine that is full of reconnecting clients is slow, and that is no fault of Redis.
  const redisOptions = { commandTimeoutMs: 5_000 };
  const drain = { windowMs: 2_000, graceMs: 1_000 };
  const config = { ...FAST_RUN.config, redis: redisOptions, drain };
  const report = await runClusterFault(
    { ...FAST_RUN, config, redis, ...load, sdk: { ...FAST_RUN.sdk, ...CALM }, patient: true },
    async ({ cluster, published, allConnected }) => {
      await cluster.rollingRestart();
      await allConnected();
      await published(5);
      await eventually("nobody is left behind", async () => {
        const samples = await Promise.all(cluster.running.map(({ gateway }) => gateway.sample()));
        return samples.reduce((sum, { connections }) => sum + connections, 0) >= CLIENTS + 4;
      });
    },
  );
  expect(report.resumes.recovered).toBe(report.resumes.possible);
  expect(report.refused).toBeEmpty();
});
