import type { NodeRegistry } from "../cluster/node-registry.ts";
import type { Config } from "../config/schema.ts";
import { BullmqJobs } from "../jobs/bullmq/bullmq-jobs.ts";
import type { JobQueue, JobWorker } from "../jobs/jobs.ts";
import { NO_JOBS } from "../jobs/no-jobs.ts";
import { StoreJobs, type StoreJobsDeps } from "../jobs/store/store-jobs.ts";
import { withSweeps } from "../jobs/sweeps.ts";
import type { QueueGauges } from "../observe/metrics/job-metrics.ts";
import type { Shards } from "../redis/shards.ts";
import type { MeteredStore } from "../store/metered-store.ts";
import type { Timer } from "../time/clock.ts";

/** How often is it looked whether somebody works each queue, and how long work has to wait for a warning. */
const WATCH_MS = 30_000;
const LATE_MS = 60_000;

export type JobsPartDeps = Omit<StoreJobsDeps, "store"> & {
  /** Undefined: nothing is kept, so there is nothing to do. */
  readonly store: MeteredStore | undefined;
  /** The Redis of the cluster; undefined: this node is alone. */
  readonly shards: Shards | undefined;
  readonly registry: Pick<NodeRegistry, "listen" | "nodes">;
  /** It was started for its queues alone. */
  readonly isWorker: boolean;
};

/** Where work is kept and who does it. To be started when all plugins have said what there is. */
export function openJobs(parts: JobsPartDeps, config: Config): JobWorker {
  const { store, shards, registry, clock } = parts;
  if (store === undefined) return NO_JOBS;
  const { sweepMs } = config.jobs;
  if (shards === undefined) {
    const jobs = withSweeps(new StoreJobs({ ...parts, store }, config.jobs), { clock, sweepMs });
    return watched(jobs, parts, config.jobs.queues);
  }
  const place = shards.home;
  const options = { ...config.jobs, commandTimeoutMs: config.redis.commandTimeoutMs };
  const jobs = withSweeps(new BullmqJobs({ ...parts, place }, options), { clock, sweepMs });
  // What it has lost stands in records.
  registry.listen({ onRedisNew: (name) => void (name === place.shard.name && jobs.sweep()) });
  return watched(jobs, parts, config.jobs.queues);
}

/** The queues for the metrics. */
export function queueGauges(
  { queues }: Pick<JobWorker, "queues">,
  registry: Pick<NodeRegistry, "nodes">,
): QueueGauges[] {
  return queues.map(({ queue, due, lagMs, running }) => ({
    ...{ queue, due, running, lagSeconds: lagMs / 1_000 },
    workers: registry.nodes().filter((node) => node.queues.includes(queue)).length,
  }));
}

/** Says when nobody seems to work a queue: it waits, and no process that is known of is for it. */
function watched(
  jobs: JobWorker,
  { clock, log, registry, isWorker }: JobsPartDeps,
  queues: readonly JobQueue[],
): JobWorker {
  let timer: Timer | undefined;
  function look(): void {
    for (const { queue, due, lagSeconds, workers } of queueGauges(jobs, registry)) {
      if (workers > 0 || lagSeconds * 1_000 < LATE_MS) continue;
      log.warn({ queue, due, lagSeconds }, "background work waits: no process works this queue");
    }
    timer = clock.setTimer(WATCH_MS, look);
  }
  /** Of a queue that no feature uses that is on here a worker would have nothing to do, for ever. */
  function warnOfUnused(): void {
    for (const queue of queues) {
      if (jobs.queues.some((used) => used.queue === queue)) continue;
      log.warn({ queue }, "no feature that is on here uses this queue: are its settings missing?");
    }
  }
  return {
    define: (kind) => jobs.define(kind),
    wake: (kind, tenant, key, when) => jobs.wake(kind, tenant, key, when),
    start() {
      if (isWorker) warnOfUnused();
      jobs.start();
      timer = clock.setTimer(WATCH_MS, look);
    },
    get queues() {
      return jobs.queues;
    },
    close() {
      timer?.cancel();
      return jobs.close();
    },
  };
}
