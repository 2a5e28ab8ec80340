import { configSchema } from "../../../config/schema.ts";
import { createCounters } from "../../../observe/counters.ts";
import { createLog } from "../../../observe/log.ts";
import { createRandomIds } from "../../../random/random.ts";
import { openShards } from "../../../redis/shards.ts";
import { systemClock } from "../../../time/clock.ts";
import { withSweeps } from "../../sweeps.ts";
import {
  type ConnectOptions,
  type FreshJobs,
  TEST_TIMES,
  type WorkerProcess,
} from "../../test/bench.ts";
import { BullmqJobs } from "../bullmq-jobs.ts";
import type { OpenWayIn } from "./ways-in.ts";

export type BullmqWorker = WorkerProcess & AsyncDisposable;

/** Jobs in a Redis, each time under a prefix of their own. */
export function freshBullmqJobs(openWayIn: OpenWayIn): () => Promise<FreshJobs> {
  return async () => {
    const prefix = `t${createRandomIds().id(6)}`;
    const workers: BullmqWorker[] = [];
    return {
      async connect(options) {
        const worker = await startBullmqWorker(openWayIn, prefix, options);
        workers.push(worker);
        return worker;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
      },
    };
  };
}

export async function startBullmqWorker(
  openWayIn: OpenWayIn,
  prefix: string,
  options: ConnectOptions,
): Promise<BullmqWorker> {
  const wayIn = await openWayIn(prefix);
  const {
    kinds,
    queues = ["webhooks", "push", "history"],
    concurrency = 20,
    clock = systemClock,
  } = options;
  const times = { ...TEST_TIMES, ...options };
  const { broker, redis } = wayIn;
  const shards = openShards(configSchema.parse({ broker, redis: { ...redis, prefix } }));
  if (shards === undefined) throw new Error("no shards");
  const jobs = withSweeps(
    new BullmqJobs(
      {
        clock,
        random: createRandomIds(),
        log: createLog("error", () => {}),
        counters: createCounters(),
        place: shards.home,
      },
      {
        ...times,
        retryMaxMs: Math.max(times.retryMs, times.retryMaxMs),
        queues,
        concurrency: { webhooks: concurrency, push: concurrency, history: concurrency },
        commandTimeoutMs: redis.commandTimeoutMs ?? 1_000,
      },
    ),
    { clock, sweepMs: times.sweepMs },
  );
  for (const kind of kinds) jobs.define(kind);
  jobs.start();
  let isDead = false;
  return {
    jobs,
    kill() {
      isDead = true;
      wayIn.cutOff();
    },
    async [Symbol.asyncDispose]() {
      const closed = jobs.close();
      if (!isDead) await closed;
      await shards.close();
      await wayIn[Symbol.asyncDispose]();
    },
  };
}
