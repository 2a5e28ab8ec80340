import type { Job, JobResult } from "../scenarios/all.ts";
import { runChannels } from "./channels.ts";
import { runChatHistory } from "./chat-history.ts";
import { runClientPublish } from "./client-publish.ts";
import { runConnect } from "./connect.ts";
import { runFanOut } from "./fan-out.ts";
import { runHttpPublish } from "./http-publish.ts";
import { runMemory } from "./memory.ts";
import { runNotify } from "./notify.ts";
import { runPresence } from "./presence.ts";
import { runStuck } from "./stuck.ts";

/** The load generator's process: one job as JSON argument, its results as JSON on stdout. */
async function run(job: Job): Promise<JobResult[]> {
  switch (job.scenario) {
    case "fanout":
      return await runFanOut(job);
    case "channels":
      return await runChannels(job);
    case "clients":
      return await runClientPublish(job);
    case "http":
      return await runHttpPublish(job);
    case "connect":
      return [await runConnect(job)];
    case "memory":
      return [await runMemory(job)];
    case "notify":
      return await runNotify(job);
    case "presence":
      return await runPresence(job);
    case "stuck":
      return await runStuck(job);
    case "chat-history":
      return await runChatHistory(job);
  }
}

const job = JSON.parse(process.argv[2] ?? "") as Job;
const results = await run(job);
await Bun.write(Bun.stdout, `${JSON.stringify(results)}\n`);
process.exit(0);
