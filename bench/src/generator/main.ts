import type { Job, JobResult } from "../job.ts";
import { runConnect } from "./connect.ts";
import { runFanOut } from "./fan-out.ts";
import { runMemory } from "./memory.ts";

/** The load generator's process: one job as JSON argument, its results as JSON on stdout. */
async function run(job: Job): Promise<JobResult[]> {
  switch (job.scenario) {
    case "fanout":
      return await runFanOut(job);
    case "connect":
      return [await runConnect(job)];
    case "memory":
      return [await runMemory(job)];
  }
}

const job = JSON.parse(process.argv[2] ?? "") as Job;
const results = await run(job);
await Bun.write(Bun.stdout, `${JSON.stringify(results)}\n`);
process.exit(0);
