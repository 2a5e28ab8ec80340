import type { NodeRegistry } from "../cluster/node-registry.ts";
import type { Config } from "../config/schema.ts";
import { BullmqJobs } from "../jobs/bullmq/bullmq-jobs.ts";
import type { JobWorker } from "../jobs/jobs.ts";
import { NO_JOBS } from "../jobs/no-jobs.ts";
import { StoreJobs, type StoreJobsDeps } from "../jobs/store/store-jobs.ts";
import { withSweeps } from "../jobs/sweeps.ts";
import type { Shards } from "../redis/shards.ts";
import type { MeteredStore } from "../store/metered-store.ts";

export type JobsPartDeps = Omit<StoreJobsDeps, "store"> & {
  /** Undefined: nothing is kept, so there is nothing to do. */
  readonly store: MeteredStore | undefined;
  /** The Redis of the cluster; undefined: this node is alone. */
  readonly shards: Shards | undefined;
  readonly registry: Pick<NodeRegistry, "listen">;
};

/** Where work is kept and who does it. To be started when all plugins have said what there is. */
export function openJobs(parts: JobsPartDeps, config: Config): JobWorker {
  const { store, shards, registry, clock } = parts;
  if (store === undefined) return NO_JOBS;
  const { sweepMs } = config.jobs;
  if (shards === undefined) {
    return withSweeps(new StoreJobs({ ...parts, store }, config.jobs), { clock, sweepMs });
  }
  const place = shards.home;
  const options = { ...config.jobs, commandTimeoutMs: config.redis.commandTimeoutMs };
  const jobs = withSweeps(new BullmqJobs({ ...parts, place }, options), { clock, sweepMs });
  // What it has lost stands in records.
  registry.listen({ onRedisNew: (name) => void (name === place.shard.name && jobs.sweep()) });
  return jobs;
}
