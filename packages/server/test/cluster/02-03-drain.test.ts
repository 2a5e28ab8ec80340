import { expect, test } from "bun:test";
import type { ConfigInput } from "@aldis/server";
import { type ClusterFaultReport, eventually, runClusterFault, startRedis } from "@aldis/testkit";
import { REDIS_IS_WELL } from "./support/fast-cluster.ts";

const MIB = 1024 * 1024;
/** With 5,000 it takes minutes: `ALDIS_TEST_CLIENTS=5000` when there is time; then it tells what it measured. */
const ASKED = Bun.env["ALDIS_TEST_CLIENTS"];
const CLIENTS = Number(ASKED ?? 1_200);
/** A second, by the two nodes that stay. */
const ADMITTED = 2 * 500;
/** But for a machine that is full of reconnecting clients, which is no fault of Redis; and a window that leaves the pace to the others. */
const AS_IN_PRODUCTION: ConfigInput = {
  cluster: { admitPerSecond: ADMITTED / 2 },
  redis: { commandTimeoutMs: 5_000 },
  drain: { windowMs: 1_000, graceMs: 1_000 },
};
/** As the client does by itself. */
const CALM = { backoff: { minMs: 500, maxMs: 20_000 }, connectTimeoutMs: 30_000 };

test("[P6] faults 2: SIGTERM of a node with its clients: each resumes on another one, nothing is lost, and the node ends in time", async () => {
  await using redis = await startRedis();
  const load = { subscribers: 600, publishers: 3, channels: ["load:a"], pauseMs: 50 };
  const allow = { heapBytes: 64 * MIB, rssBytes: 512 * MIB };
  const report = await runClusterFault(
    { ...REDIS_IS_WELL, redis, ...load, sdk: { ...REDIS_IS_WELL.sdk, ...CALM }, allow },
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

test("[P6] faults 3: a rolling restart of all nodes under load: nothing is lost, everyone is back, at the pace that the others admit", async () => {
  await using redis = await startRedis();
  const crowd = { subscribers: CLIENTS, processes: 4 };
  // What a publish costs grows with those who hear it.
  const load = { crowd, publishers: 2, channels: ["load:a"], pauseMs: CLIENTS / 5, warmUp: 5 };
  const allow = { heapBytes: 256 * MIB, rssBytes: 1024 * MIB };
  const stops: Stop[] = [];
  const report = await runClusterFault(
    { config: AS_IN_PRODUCTION, redis, ...load, sdk: CALM, allow, patient: true },
    async ({ cluster, crowd: { connectedAtMs }, published, allConnected }) => {
      for (const node of cluster.nodes) {
        const { connections } = await node.gateway.sample();
        const atMs = performance.now();
        const known = connectedAtMs.length;
        expect(await node.drain()).toBe(0);
        await allConnected();
        const tookMs = performance.now() - atMs;
        stops.push({ connections, tookMs, perSecond: mostInASecond(connectedAtMs.slice(known)) });
        await node.start();
      }
      await published(5);
      await eventually("nobody is left behind", async () => {
        const samples = await Promise.all(cluster.running.map(({ gateway }) => gateway.sample()));
        return samples.reduce((sum, { connections }) => sum + connections, 0) >= CLIENTS + 15;
      });
    },
  );
  if (ASKED !== undefined) tell(report, stops);
  expect(report.resumes.recovered).toBe(report.resumes.possible);
  expect(report.refused).toBeEmpty();
  for (const { perSecond } of stops) expect(perSecond).toBeLessThanOrEqual(2 * ADMITTED);
}, 600_000);

type Stop = { readonly connections: number; readonly tookMs: number; readonly perSecond: number };

/** The most that were there within any second. */
function mostInASecond(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  let [first, most] = [0, 0];
  for (const [place, atMs] of sorted.entries()) {
    while (atMs - (sorted[first] ?? atMs) >= 1_000) first++;
    most = Math.max(most, place - first + 1);
  }
  return most;
}

/** The figures of a run that was asked for. */
function tell(
  { latenciesMs, during, resumes, counts, samples }: ClusterFaultReport,
  stops: readonly Stop[],
): void {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0);
  const latency = { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
  const loopDelayMs = Math.round(Math.max(...samples.map((sample) => sample.loopDelayMs)));
  const figures = { clients: CLIENTS, stops, resumes, counts, latency, during, loopDelayMs };
  process.stdout.write(`${JSON.stringify(figures, undefined, 1)}\n`);
}
