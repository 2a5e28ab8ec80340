import type { Config } from "../config/schema.ts";
import type { JobWorker } from "../jobs/jobs.ts";
import { NO_JOBS } from "../jobs/no-jobs.ts";
import { StoreJobs, type StoreJobsDeps } from "../jobs/store/store-jobs.ts";
import { withSweeps } from "../jobs/sweeps.ts";
import type { MeteredStore } from "../store/metered-store.ts";

export type JobsPartDeps = Omit<StoreJobsDeps, "store"> & {
  /** Undefined: nothing is kept, so there is nothing to do. */
  readonly store: MeteredStore | undefined;
};

/** Where work is kept and who does it. To be started when all plugins have said what there is. */
export function openJobs({ store, ...deps }: JobsPartDeps, { jobs }: Config): JobWorker {
  if (store === undefined) return NO_JOBS;
  return withSweeps(new StoreJobs({ ...deps, store }, jobs), {
    clock: deps.clock,
    sweepMs: jobs.sweepMs,
  });
}
