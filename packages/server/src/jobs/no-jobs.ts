import { Unavailable } from "../unavailable.ts";
import type { JobWorker } from "./jobs.ts";

class NoJobs extends Unavailable {
  override readonly name = "NoJobs";
}

/** Without records there is nothing that work could be kept in. */
export const NO_JOBS: JobWorker = {
  define() {},
  wake: () => Promise.reject(new NoJobs("there is no store: see store.url")),
  start() {},
  queues: [],
  close: () => Promise.resolve(),
};
