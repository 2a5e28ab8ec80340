import { Unavailable } from "../unavailable.ts";
import type { Jobs } from "./jobs.ts";

class NoJobs extends Unavailable {
  override readonly name = "NoJobs";
}

/** Without records there is nothing that work could be kept in. */
export const NO_JOBS: Jobs = {
  define() {},
  wake: () => Promise.reject(new NoJobs("there is no store: see store.url")),
};
