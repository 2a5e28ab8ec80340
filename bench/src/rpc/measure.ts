import { cpuNs } from "../generator/proc.ts";
import type { Caller } from "./callers.ts";

export type Figures = {
  readonly name: string;
  readonly inFlight: number;
  readonly callsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the gateway alone; 0 where it has no part. */
  readonly gatewayCpuUsPerCall: number;
};

export type Plan = {
  readonly name: string;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** The gateway's process, if it takes part. */
  readonly gatewayPid: number | undefined;
};

/** Each caller asks again when it is answered, so that as many calls are in flight as there are callers. */
export async function measure(callers: readonly Caller[], plan: Plan): Promise<Figures> {
  await askFor(callers, plan.warmUpMs);
  const cpu = () => (plan.gatewayPid === undefined ? 0 : cpuNs(plan.gatewayPid));
  const before = cpu();
  const startMs = performance.now();
  const tookMs = (await askFor(callers, plan.measureMs)).sort((a, b) => a - b);
  const seconds = (performance.now() - startMs) / 1_000;
  return {
    ...{ name: plan.name, inFlight: callers.length },
    callsPerSecond: tookMs.length / seconds,
    ...{ p50Ms: share(tookMs, 0.5), p99Ms: share(tookMs, 0.99) },
    gatewayCpuUsPerCall: (cpu() - before) / 1_000 / tookMs.length,
  };
}

async function askFor(callers: readonly Caller[], ms: number): Promise<number[]> {
  const endMs = performance.now() + ms;
  const tookMs: number[] = [];
  const one = async (caller: Caller) => {
    for (let at = performance.now(); at < endMs; ) {
      await caller.ask();
      const now = performance.now();
      tookMs.push(now - at);
      at = now;
    }
  };
  await Promise.all(callers.map(one));
  return tookMs;
}

function share(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
