import { type RedisServer, startTcpProxy } from "@aldis/testkit";
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

export type BullmqWorker = WorkerProcess & AsyncDisposable;

/** Jobs in a Redis, each time under a prefix of their own. */
export function freshBullmqJobs(redis: () => RedisServer): () => Promise<FreshJobs> {
  return async () => {
    const prefix = `t${createRandomIds().id(6)}`;
    const workers: BullmqWorker[] = [];
    return {
      async connect(options) {
        const worker = await startBullmqWorker(redis().port, prefix, options);
        workers.push(worker);
        return worker;
      },
      async [Symbol.asyncDispose]() {
        await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
      },
    };
  };
}

/** Behind a proxy of its own, so that it can be cut off for good, as the dead are. */
export async function startBullmqWorker(
  port: number,
  prefix: string,
  options: ConnectOptions,
): Promise<BullmqWorker> {
  const proxy = await startTcpProxy(port);
  const { kinds, queues = ["webhooks", "push", "history"], concurrency = 20 } = options;
  const times = { ...TEST_TIMES, ...options };
  const broker = `redis://127.0.0.1:${proxy.port}`;
  const shards = openShards(configSchema.parse({ broker, redis: { prefix } }));
  if (shards === undefined) throw new Error("no shards");
  const jobs = withSweeps(
    new BullmqJobs(
      {
        clock: systemClock,
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
        commandTimeoutMs: 1_000,
      },
    ),
    { clock: systemClock, sweepMs: times.sweepMs },
  );
  for (const kind of kinds) jobs.define(kind);
  jobs.start();
  let isDead = false;
  return {
    jobs,
    kill() {
      isDead = true;
      proxy.accepting = false;
      proxy.cut();
    },
    async [Symbol.asyncDispose]() {
      const closed = jobs.close();
      if (!isDead) await closed;
      await shards.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}
