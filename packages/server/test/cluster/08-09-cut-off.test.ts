import { describe, expect, test } from "bun:test";
import { eventually, isReady, runClusterFault, startRedis } from "@aldis/testkit";
import { FAST_RUN } from "./support/fast-cluster.ts";

/** What only the connection says that is told publications. */
const SUBSCRIBES = /\r\ns?subscribe\r\n/i;

describe("one node and its way to Redis", () => {
  test("[P5] faults 8: the connection that is told publications is silently dead: readiness turns, it is rebuilt, and what was missed comes", async () => {
    await using redis = await startRedis();
    await runClusterFault({ ...FAST_RUN, redis }, async ({ cluster, published }) => {
      const node = cluster.node(0);
      expect(node.link.deafen(SUBSCRIBES)).toBeGreaterThan(0);
      await published(30);
      await eventually("it notices", async () => !(await isReady(node.port)));
      await node.untilReady();
      await published(30);
    });
  });

  test("[P5] faults 9: one node is cut from Redis: its clients are told, the others do not notice, and after it nobody is there twice", async () => {
    await using redis = await startRedis();
    await runClusterFault({ ...FAST_RUN, redis }, async (run) => {
      const { cluster, published, allConnected } = run;
      const node = cluster.node(0);
      const raw = await node.gateway.connect();
      await raw.must("subscribe", { channel: "load:a" });
      node.link.accepting = false;
      node.link.cut();
      const refusal = await raw.refused("publish", { channel: "chat:away", data: 1 });
      expect(refusal).toMatchObject({ code: "unavailable", temporary: true });
      expect((await raw.next("status")).data).toEqual({ degraded: true });
      await eventually("it is not ready", async () => !(await isReady(node.port)));
      const { answers } = run.bystander;
      await eventually("the others go on", () => run.bystander.answers > answers + 20);
      node.link.accepting = true;
      await node.untilReady();
      expect((await raw.next("status")).data).toEqual({ degraded: false });
      await raw.must("publish", { channel: "chat:away", data: 2 });
      await raw.close();
      await allConnected();
      await published(30);
    });
  });

  test("[P5] faults 9: a network that swallows all between one node and Redis for longer than its lease", async () => {
    await using redis = await startRedis();
    await runClusterFault({ ...FAST_RUN, redis }, async ({ cluster, published, bystander }) => {
      const node = cluster.node(0);
      node.link.frozen = true;
      await eventually("it is not ready", async () => !(await isReady(node.port)));
      const { answers } = bystander;
      await eventually("the others go on", () => bystander.answers > answers + 150);
      node.link.frozen = false;
      await node.untilReady();
      await published(30);
    });
  });
});
