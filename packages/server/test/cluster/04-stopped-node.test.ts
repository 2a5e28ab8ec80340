import { expect, test } from "bun:test";
import { eventually, runClusterFault, startRedis, usersIn } from "@aldis/testkit";
import { REDIS_IS_WELL } from "./support/fast-cluster.ts";

test("[P5] faults 4: a node that stands still for longer than its lease: the others go on; when it wakes it is a member again, and nobody is there twice", async () => {
  await using redis = await startRedis();
  const report = await runClusterFault(
    { ...REDIS_IS_WELL, redis, subscribers: 15, publishers: 4 },
    async ({ cluster, published, allConnected }) => {
      const [still, other] = [cluster.node(0), cluster.node(1)];
      const sleeper = await still.gateway.connect({ sub: "sleeper" });
      await sleeper.must("subscribe", { channel: "load:a" });
      const seesSleeper = async () => (await usersIn(other.gateway, "load:a")).includes("sleeper");
      await eventually("it is present", seesSleeper);
      await still.pause();
      // Those whose node does not answer look for another one.
      await eventually("its lease is over", async () => !(await seesSleeper()));
      await published(50);
      still.resume();
      await still.untilReady();
      await allConnected();
      // Either the node has given it up, or it serves it again.
      const answer = await sleeper.ask("ping").catch(() => undefined);
      if (answer !== undefined) await eventually("it is present again", seesSleeper);
      await published(20);
      sleeper.cut();
    },
  );
  expect(report.resumes.recovered).toBe(report.resumes.possible);
});
