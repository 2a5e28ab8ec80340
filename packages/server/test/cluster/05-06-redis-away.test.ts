import { describe, expect, test } from "bun:test";
import {
  type Cluster,
  type ClusterFaultRun,
  eventually,
  isReady,
  runClusterFault,
  startRedis,
} from "@aldis/testkit";
import { FAST_RUN } from "./support/fast-cluster.ts";

async function allNotReady({ nodes }: Cluster): Promise<void> {
  for (const { name, port } of nodes) {
    await eventually(`${name} is not ready`, async () => !(await isReady(port)));
  }
}

/** The verdicts that subscribers were given, in order. */
function verdicts({ checker }: ClusterFaultRun, who: string, channel: string) {
  return checker.journal.filter(
    (entry) => entry.what === "stands" && entry.who === who && entry.channel === channel,
  );
}

describe("Redis is away", () => {
  test("[P5] faults 5: Redis stands still: connections stay, publishes are refused for a while and none is acknowledged falsely, readiness tells, and all heals", async () => {
    await using redis = await startRedis();
    const report = await runClusterFault(
      { ...FAST_RUN, redis, patient: true },
      async ({ cluster, published }) => {
        const raw = await Promise.all(cluster.nodes.map(({ gateway }) => gateway.connect()));
        for (const client of raw) await client.must("subscribe", { channel: "load:a" });
        const opened = await openedOf(cluster);
        await redis.pause();
        for (const client of raw) {
          const refusal = await client.refused("publish", { channel: "chat:away", data: 1 });
          expect(refusal).toMatchObject({ code: "unavailable", temporary: true });
        }
        await allNotReady(cluster);
        // They are told, and stay.
        for (const client of raw) {
          const { data } = await client.next("status");
          expect(data).toEqual({ degraded: true });
        }
        redis.resume();
        await cluster.untilReady();
        for (const client of raw) {
          const { data } = await client.next("status");
          expect(data).toEqual({ degraded: false });
          // A slow machine may take longer than a command has: then it is refused once more.
          await eventually("publishes to be taken again", async () => {
            const { action } = await client.ask("publish", { channel: "chat:away", data: 2 });
            return action === "publish";
          });
        }
        await published(40);
        expect(await openedOf(cluster)).toEqual(opened);
        for (const client of raw) await client.close();
      },
    );
    expect(report.during.refusals).toBeGreaterThan(0);
    expect(report.during.breaks).toBe(0);
  });

  test("[P1] faults 6: Redis is restarted empty: a new epoch for every channel, everybody is told, and presence is rebuilt", async () => {
    await using redis = await startRedis();
    await runClusterFault({ ...FAST_RUN, redis, patient: true }, async (run) => {
      const epochOf = (entries: ReturnType<typeof verdicts>) => entries.at(-1)?.epoch;
      const before = epochOf(verdicts(run, "subscriber-0", "load:a"));
      await run.checker.forgetting(() => redis.restart());
      await run.cluster.untilReady();
      await run.published(40);
      for (const channel of ["load:a", "load:b"]) {
        for (let n = 0; n < run.subscribers.length; n++) {
          await eventually(`subscriber-${n} was told`, () => {
            const last = verdicts(run, `subscriber-${n}`, channel).at(-1);
            return last?.recovered === false && last.epoch !== before;
          });
        }
      }
    });
  });

  test("[P1] faults 6: Redis is restarted from an older disk: no offset is given twice in an epoch, and everybody is told", async () => {
    await using redis = await startRedis();
    await runClusterFault({ ...FAST_RUN, redis, patient: true }, async (run) => {
      await redis.cli("SAVE");
      await run.published(60);
      await run.checker.forgetting(() => redis.restart());
      await run.cluster.untilReady();
      await run.published(60);
      for (let n = 0; n < run.subscribers.length; n++) {
        await eventually(`subscriber-${n} was told`, () => {
          return verdicts(run, `subscriber-${n}`, "load:a").at(-1)?.recovered === false;
        });
      }
    });
  });

  test("[P1] faults 6: Redis is killed and restarted with all that it acknowledged: nothing is lost", async () => {
    await using redis = await startRedis({ persist: true });
    await runClusterFault({ ...FAST_RUN, redis, patient: true }, async (run) => {
      for (let round = 0; round < 3; round++) {
        await redis.restart();
        await run.cluster.untilReady();
        await run.published(40);
      }
    });
  });
});

async function openedOf({ nodes }: Cluster): Promise<number[]> {
  const samples = await Promise.all(nodes.map(({ gateway }) => gateway.sample()));
  return samples.map(({ counters }) => counters.connectionsOpened);
}
