/** What a master had not told its replica when it was killed is lost to Redis, and to nobody else. */
import { describe, expect, test } from "bun:test";
import { eventually, hasRedis, startRedisCluster, startSentinelSet } from "@aldis/testkit";
import { Unavailable } from "../../unavailable.ts";
import type { Job } from "../jobs.ts";
import { ACME, kind } from "../test/bench.ts";
import { pause } from "../test/job-model.ts";
import { freshBullmqJobs } from "./test/fresh-bullmq-jobs.ts";
import { type RedisPlace, withAccount } from "./test/ways-in.ts";

const TURNS_BEFORE = 50;
const WAKES_AFTERWARDS = 50;

async function goesOn(place: RedisPlace, failOver: (prefix: string) => Promise<void>) {
  // The records: what a sweep finds of which nobody was told.
  const todo = new Set<string>();
  let turns = 0;
  const look = async ({ key }: Job) => {
    await pause(5);
    todo.delete(key);
    turns++;
    return undefined;
  };
  const work = kind(look, {
    async sweep(wake) {
      await Promise.all([...todo].map((key) => wake(ACME, key)));
    },
  });
  let prefix = "";
  const account = withAccount(() => place);
  await using fresh = await freshBullmqJobs((name) => {
    prefix = name;
    return account(name);
  })();
  const workers = [
    await fresh.connect({ kinds: [work], sweepMs: 500 }),
    await fresh.connect({ kinds: [work], sweepMs: 500 }),
  ];
  const since = { isOver: false, taken: 0 };
  const asking = (async () => {
    for (let n = 0; since.taken < WAKES_AFTERWARDS; n++) {
      const key = `key ${n}`;
      todo.add(key);
      // Timers have their turn, also where all is refused at once.
      await pause(1);
      const refusal = await workers[n % 2]?.jobs.wake(work, ACME, key).catch((error) => error);
      if (refusal !== undefined) expect(refusal).toBeInstanceOf(Unavailable);
      else if (since.isOver) since.taken++;
    }
  })();
  await eventually("they are in the middle of it", () => turns >= TURNS_BEFORE);
  await failOver(prefix);
  since.isOver = true;
  await asking;
  await eventually("all that was written was looked at", () => todo.size === 0, 20_000);
}

describe.if(hasRedis())("jobs while a replica takes over", () => {
  test("[P4] faults 7: a replica that lacks the latest takes the place of a master that is killed in the middle of work: nothing that was written is left", async () => {
    await using set = await startSentinelSet();
    await goesOn(set, async () => {
      const master = await set.master();
      const replica = set.servers.find((server) => server !== master);
      // Nobody listens there: from now on it is told nothing.
      await replica?.cli("REPLICAOF", "127.0.0.1", "1");
      await set.failOver();
    });
  }, 90_000);

  test("[P4] faults 7: the same in a Redis Cluster, of whose masters the one is killed that has the jobs", async () => {
    await using cluster = await startRedisCluster({ replicas: true });
    await goesOn(cluster, async (prefix) => {
      const key = `${prefix}:{0}:jobs`;
      await (await cluster.ownerOf(key)).stop();
      await cluster.ownerOf(key);
    });
  }, 90_000);
});
