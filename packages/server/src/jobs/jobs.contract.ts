import type { OpenFreshJobs } from "./test/bench.ts";
import { clockContract } from "./test/clock.contract.ts";
import { concurrencyContract } from "./test/concurrency.contract.ts";
import { deathContract } from "./test/death.contract.ts";
import { fairnessContract } from "./test/fairness.contract.ts";
import { timesContract } from "./test/times.contract.ts";
import { wakesContract } from "./test/wakes.contract.ts";

/** Whatever jobs are kept in must pass this; `open` makes a new, empty place for each test. */
export function jobsContract(name: string, open: OpenFreshJobs): void {
  wakesContract(name, open);
  timesContract(name, open);
  clockContract(name, open);
  concurrencyContract(name, open);
  fairnessContract(name, open);
  deathContract(name, open);
}
