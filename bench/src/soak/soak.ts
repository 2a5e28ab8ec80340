import { readdirSync } from "node:fs";
import { join } from "node:path";
import { cpuNs, rssBytes } from "../generator/proc.ts";
import { type Machine, startServer } from "../servers/launch.ts";
import { startWorker } from "../worker.ts";
import type { SoakOptions } from "./soak-options.ts";
import type { CycleReport, ServerOrder, ServerState, TrafficOrder, TrafficPlan } from "./wire.ts";

/** Runs cycle after cycle of traffic against one gateway, and looks at the gateway after each. */
export type SoakSample = {
  cycle: number;
  /** Since the first cycle began. */
  atMs: number;
  rssBytes: number;
  descriptors: number;
  /** Share of one core that the server used in this cycle. */
  serverCpuShare: number;
  state: ServerState;
  traffic: CycleReport;
};

/** Every so many cycles some clients get stuck. */
const STUCK_EVERY = 5;
const STUCK_AT = 2;
/** Beyond the cycle's own time: to gather, to come to rest, to be checked. */
const CYCLE_SPARE_MS = 300_000;

/** `cyclesMax` ends a run early, for tests. */
export async function runSoak(
  machine: Machine,
  options: SoakOptions & { cyclesMax?: number },
  onSample: (sample: SoakSample) => void,
): Promise<SoakSample[]> {
  const server = await startServer(machine, "soak", {});
  const plan: TrafficPlan = { port: server.port, seed: options.seed };
  const file = join(import.meta.dir, "traffic.ts");
  const traffic = startWorker<TrafficOrder, CycleReport>(machine, file, plan);
  const samples: SoakSample[] = [];
  const startedAtMs = performance.now();
  try {
    while (
      performance.now() - startedAtMs < options.minutes * 60_000 &&
      samples.length < (options.cyclesMax ?? Number.POSITIVE_INFINITY)
    ) {
      const cycle = samples.length;
      const before = { atMs: performance.now(), cpuNs: cpuNs(server.pid) };
      const stuck = cycle % STUCK_EVERY === STUCK_AT;
      const report = await traffic.ask(
        { order: "cycle", cycle, durationMs: options.cycleMs, stuck },
        options.cycleMs + CYCLE_SPARE_MS,
      );
      const elapsedNs = (performance.now() - before.atMs) * 1e6;
      const serverCpuShare = (cpuNs(server.pid) - before.cpuNs) / elapsedNs;
      // Before the collection that reading the heap comes with: memory as operators see it.
      const rss = rssBytes(server.pid);
      const sample: SoakSample = {
        cycle,
        atMs: performance.now() - startedAtMs,
        rssBytes: rss,
        descriptors: openDescriptors(server.pid),
        serverCpuShare,
        state: await server.ask<ServerState>({ order: "state" } satisfies ServerOrder),
        traffic: report,
      };
      samples.push(sample);
      onSample(sample);
    }
    return samples;
  } finally {
    traffic.stop();
    await server.stop();
  }
}

/** NaN where there is no /proc. */
function openDescriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return Number.NaN;
  }
}
