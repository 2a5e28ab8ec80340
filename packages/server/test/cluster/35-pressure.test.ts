import { describe, expect, test } from "bun:test";
import {
  deleteStreams,
  eventually,
  type RedisServer,
  runClusterFault,
  startRedis,
} from "@aldis/testkit";
import { FAST_RUN } from "./support/fast-cluster.ts";

describe("faults 35: Redis under pressure", () => {
  test("[P4] out of memory, with `noeviction`: publishes are refused, none is acknowledged that is not there, and it heals", async () => {
    await using redis = await startRedis();
    const report = await runClusterFault(
      { ...FAST_RUN, redis, patient: true },
      async ({ cluster, published }) => {
        const client = await cluster.node(1).gateway.connect();
        await redis.cli("CONFIG", "SET", "maxmemory", "1mb");
        await eventually("it is refused", async () => {
          const reply = await client.ask("publish", { channel: "chat:full", data: 1 });
          if (reply.action === "error") expect(reply.data).toMatchObject({ temporary: true });
          return reply.action === "error";
        });
        await redis.cli("CONFIG", "SET", "maxmemory", "0");
        await cluster.untilReady();
        await client.must("publish", { channel: "chat:full", data: 2 });
        await published(40);
        await client.close();
      },
    );
    expect(report.during.refusals).toBeGreaterThan(0);
  });

  test("[P1] the stream of a channel is evicted: nobody is left to think that all is whole", async () => {
    await using redis = await startRedis();
    const options = { ...FAST_RUN, redis, survives: false };
    await runClusterFault(options, async ({ cluster, published }) => {
      for (let round = 0; round < 3; round++) {
        await published(20);
        expect(await deleteStreams(redis, "*load:a")).toBe(1);
        // Whoever comes back now finds nothing of what it missed.
        cluster.balancer.proxy.cut();
        await published(20);
      }
    });
  });

  test("[P1] `CLIENT KILL TYPE pubsub` again and again: what is missed is fetched by its offset", async () => {
    await using redis = await startRedis();
    const report = await runClusterFault({ ...FAST_RUN, redis }, async ({ published }) => {
      let killed = 0;
      for (let round = 0; round < 6; round++) {
        await published(20);
        killed += Number(await redis.cli("CLIENT", "KILL", "TYPE", "pubsub"));
      }
      expect(killed).toBeGreaterThan(6);
    });
    expect(report.resumes.recovered).toBe(report.resumes.possible);
  });

  test("[P1] Redis drops a subscriber whose output buffer is full: it comes back, and nothing is missing", async () => {
    await using redis = await startRedis();
    await runClusterFault({ ...FAST_RUN, redis }, async ({ cluster, published }) => {
      await redis.cli("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 512kb 1");
      const { link, gateway } = cluster.node(0);
      const reader = await gateway.connect();
      await reader.must("subscribe", { channel: "big:one" });
      const data = "x".repeat(60_000);
      const all = (await subscribersOf(redis)).length;
      for (let round = 0; round < 3; round++) {
        await eventually("all listen", async () => (await subscribersOf(redis)).length === all);
        const before = await subscribersOf(redis);
        link.stalled = true;
        await eventually("it is dropped", async () => {
          for (let n = 0; n < 20; n++) await cluster.node(1).gateway.publish("big:one", data);
          const now = await subscribersOf(redis);
          return before.some((id) => !now.includes(id));
        });
        link.stalled = false;
        await cluster.untilReady();
        await published(20);
      }
      await reader.close();
    });
  });
});

/** The ids of the connections that are told publications. */
async function subscribersOf(redis: RedisServer): Promise<string[]> {
  const list = await redis.cli("CLIENT", "LIST", "TYPE", "pubsub");
  return [...list.matchAll(/^id=(\d+)/gm)].map(([, id = ""]) => id);
}
