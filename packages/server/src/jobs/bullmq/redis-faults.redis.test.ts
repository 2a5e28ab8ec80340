/** What Redis loses, or does not answer, is no work lost. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually, hasRedis, type RedisServer, startRedis } from "@aldis/testkit";
import { Unavailable } from "../../unavailable.ts";
import { ACME, heldKind, kind } from "../test/bench.ts";
import { pause } from "../test/job-model.ts";
import { freshBullmqJobs } from "./test/fresh-bullmq-jobs.ts";
import { proxied } from "./test/ways-in.ts";

const FAR_MS = 3_600_000;
/** Longer than all that waits for an answer of Redis does. */
const STILL_MS = 4_200;

describe.if(hasRedis())("jobs in a Redis that fails", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => await redis[Symbol.asyncDispose]());
  const open = freshBullmqJobs(proxied(() => redis));

  /** Keys that are to be looked at, as records say. */
  function recorded(keys: readonly string[]) {
    const todo = new Set(keys);
    const work = kind(({ key }) => void todo.delete(key), {
      async sweep(wake) {
        await Promise.all([...todo].map((key) => wake(ACME, key)));
      },
    });
    return { todo, work };
  }

  test("faults 6: what FLUSHALL took is found by a sweep, and the work goes on", async () => {
    await using fresh = await open();
    const keys = Array.from({ length: 20 }, (_, n) => `key ${n}`);
    const { todo, work } = recorded(keys);
    const asking = await fresh.connect({ kinds: [work], queues: [], sweepMs: FAR_MS });
    for (const key of keys.slice(0, 10)) await asking.jobs.wake(work, ACME, key, "now");
    for (const key of keys.slice(10)) await asking.jobs.wake(work, ACME, key, Date.now() + FAR_MS);
    await redis.cli("FLUSHALL");
    await fresh.connect({ kinds: [work], sweepMs: 200 });
    await eventually("all are done", () => todo.size === 0);
    await redis.cli("FLUSHALL");
    todo.add("after that");
    await eventually("a worker that was there goes on", () => todo.size === 0);
  }, 30_000);

  test("faults 5: while Redis is away wakes are refused in time; afterwards all goes on, without a new start", async () => {
    await using fresh = await open();
    const { todo, work } = recorded(["one"]);
    const { jobs } = await fresh.connect({ kinds: [work], sweepMs: 500 });
    await eventually("it works", () => todo.size === 0);
    await redis.stop();
    const refused = await jobs.wake(work, ACME, "two").catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Unavailable);
    todo.add("two");
    await redis.restart();
    await eventually("what was asked for meanwhile is done", () => todo.size === 0, 20_000);
  }, 60_000);

  test("faults 5: a worker goes on when a Redis that stood still for some seconds goes on", async () => {
    await using fresh = await open();
    const seen: string[] = [];
    const work = kind(({ key }) => void seen.push(key));
    const { jobs } = await fresh.connect({ kinds: [work], sweepMs: FAR_MS });
    await jobs.wake(work, ACME, "before");
    await eventually("it works", () => seen.length === 1);
    await redis.pause();
    // Whatever waits for an answer has given up meanwhile, once and again.
    for (const end = performance.now() + STILL_MS; performance.now() < end; ) {
      const refused = await jobs.wake(work, ACME, "during").catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(Unavailable);
      await pause(50);
    }
    redis.resume();
    await eventually("it takes wakes", async () => {
      return await jobs.wake(work, ACME, "after").then(
        () => true,
        () => false,
      );
    });
    await eventually("it works again", () => seen.includes("after"));
  }, 60_000);

  test("P6: a worker that has nothing under way does not wait for a Redis that is away to be told to stop", async () => {
    await using fresh = await open();
    const { todo, work } = recorded(["one"]);
    const { jobs } = await fresh.connect({ kinds: [work], sweepMs: 500, closeMs: FAR_MS });
    await eventually("it works", () => todo.size === 0);
    await redis.stop();
    await jobs.close();
    await redis.restart();
  }, 60_000);

  test("faults 6: a turn whose lock is lost is told, and another has the key", async () => {
    await using fresh = await open();
    const { kind: stuck, turns } = heldKind();
    await fresh.connect({ kinds: [stuck] });
    const second = await fresh.connect({ kinds: [stuck], queues: [] });
    await second.jobs.wake(stuck, ACME, "one");
    await eventually("it is worked on", () => turns.length === 1);
    await redis.cli("FLUSHALL");
    await eventually("it is told", () => turns[0]?.job.signal.aborted);
    await second.jobs.wake(stuck, ACME, "one");
    await eventually("the key has another turn", () => turns.length === 2);
    for (const turn of turns) turn.end();
  }, 30_000);
});
