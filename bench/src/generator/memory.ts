import type { MemoryJob, MemoryResult } from "../scenarios/memory.ts";
import { mintTokens } from "../token.ts";
import type { Connection } from "./connection.ts";
import { DIALECTS } from "./dialects.ts";
import { closeAll, openMany } from "./open-many.ts";
import { rssBytes } from "./proc.ts";

/** Opens idle connections with one subscription each, and reads what the server's process grew by. */
const POLL_MS = 500;
/** Settled: so many polls in a row within this share of each other. */
const QUIET_POLLS = 6;
const QUIET_SHARE = 0.005;

export async function runMemory(job: MemoryJob): Promise<MemoryResult> {
  const tokens = mintTokens(job.connections);
  const third = Math.floor(job.connections / 3);
  const rssBefore = await settledRss(job);
  const connections = await openIdle(job, tokens.slice(0, third));
  const rssAtThird = await settledRss(job);
  connections.push(...(await openIdle(job, tokens.slice(third))));
  const rssAfter = await settledRss(job);
  const result: MemoryResult = {
    scenario: "memory",
    connections: connections.length,
    bytesPerConnection: (rssAfter - rssBefore) / connections.length,
    marginalBytesPerConnection: (rssAfter - rssAtThird) / (connections.length - third),
    rssBeforeBytes: rssBefore,
    rssAfterBytes: rssAfter,
  };
  closeAll(connections);
  return result;
}

function openIdle(job: MemoryJob, tokens: string[]): Promise<Connection[]> {
  return openMany({
    count: tokens.length,
    window: job.window,
    options: (index) => ({
      port: job.port,
      dialect: DIALECTS[job.system],
      token: tokens[index] ?? "",
      channel: `bench:${index % job.channels}`,
    }),
  });
}

async function settledRss(job: MemoryJob): Promise<number> {
  const deadline = performance.now() + job.settleMaxMs;
  let last = rssBytes(job.serverPid);
  let quiet = 0;
  while (quiet < QUIET_POLLS && performance.now() < deadline) {
    await Bun.sleep(POLL_MS);
    const now = rssBytes(job.serverPid);
    quiet = Math.abs(now - last) <= last * QUIET_SHARE ? quiet + 1 : 0;
    last = now;
  }
  return last;
}
