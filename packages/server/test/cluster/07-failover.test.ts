import { expect, test } from "bun:test";
import { eventually, runClusterFault, startRedisCluster, startSentinelSet } from "@aldis/testkit";
import { FAST_RUN } from "./support/fast-cluster.ts";

test("[P1] faults 7: the master is killed and its replica takes its place: all go on there, and no offset is given twice", async () => {
  await using set = await startSentinelSet();
  const report = await runClusterFault(
    { ...FAST_RUN, redis: set.url, patient: true },
    async ({ cluster, checker, published }) => {
      const old = await set.master();
      // What it had not sent on yet is as good as never published.
      await checker.forgetting(() => set.failOver());
      await cluster.untilReady();
      await published(60);
      // The old one is back as a replica of the new one, and changes nothing.
      await old.restart();
      await eventually("it is a replica", async () => (await old.cli("ROLE")).startsWith("slave"));
      await published(20);
    },
  );
  expect(report.during.breaks).toBe(0);
});

test("[P1] faults 7: the replica that becomes master lacks the latest that was acknowledged: no offset is given twice in an epoch, and everybody is told", async () => {
  await using set = await startSentinelSet();
  await runClusterFault({ ...FAST_RUN, redis: set.url, patient: true }, async (run) => {
    const master = await set.master();
    const replica = set.servers.find((server) => server !== master);
    // Nobody listens there: from now on it is told nothing.
    await replica?.cli("REPLICAOF", "127.0.0.1", "1");
    await run.published(60);
    // What the former master alone had is as good as never published.
    await run.checker.forgetting(() => set.failOver());
    await run.cluster.untilReady();
    await run.published(60);
    for (let n = 0; n < run.subscribers.length; n++) {
      await eventually(`subscriber-${n} was told`, () => {
        const noted = run.checker.journal.filter(({ who }) => who === `subscriber-${n}`);
        return noted.filter(({ what }) => what === "stands").at(-1)?.recovered === false;
      });
    }
  });
});

test("[P1] faults 7: a Redis Cluster carries the channels, and goes on where it can when one of its masters stands still", async () => {
  await using set = await startRedisCluster();
  const channels = Array.from({ length: 12 }, (_, n) => `load:${n}`);
  await runClusterFault(
    { ...FAST_RUN, redis: set.url, channels, publishers: 6, patient: true },
    async ({ cluster, published }) => {
      await published(100);
      const [, second] = set.servers;
      await second?.pause();
      await eventually("some notice", async () => {
        const answers = await Promise.all(channels.map((channel) => tryPublish(cluster, channel)));
        return answers.includes(503) && answers.includes(200);
      });
      second?.resume();
      await cluster.untilReady();
      await published(100);
    },
  );
});

/** In channels beside those that are judged. */
async function tryPublish(
  { call }: { call: (method: string, path: string, body: unknown) => Promise<{ status: number }> },
  channel: string,
): Promise<number> {
  const body = { channel: channel.replace("load:", "side:"), data: 1 };
  return (await call("POST", "/api/publish", body)).status;
}
