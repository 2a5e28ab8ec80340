import type { Peers } from "../job.ts";
import { coresBusyNs, cpuNs } from "./proc.ts";

/** Who used the cores so far: the difference of two of these is a {@link Load}. */
export type LoadMark = {
  atMs: number;
  /** All nodes, and their Redis. */
  serverNs: number;
  redisNs: number;
  generatorNs: number;
  coresNs: number;
};

/** Shares of one core, over a stretch of time. */
export type Load = {
  serverCpuShare: number;
  generatorCpuShare: number;
  /** What neither of the two used, of both cores: other processes, and a host that gives less. */
  othersCpuShare: number;
};

export function markLoad(serverPid: number, peers?: Peers): LoadMark {
  const redisNs = peers === undefined ? 0 : cpuNs(peers.redisPid);
  const others = (peers?.pids ?? []).reduce((sum, pid) => sum + cpuNs(pid), redisNs);
  return {
    atMs: performance.now(),
    serverNs: cpuNs(serverPid) + others,
    redisNs,
    generatorNs: cpuNs(process.pid),
    coresNs: coresBusyNs(),
  };
}

export function loadBetween(before: LoadMark, after: LoadMark): Load {
  const elapsedNs = (after.atMs - before.atMs) * 1e6;
  const server = after.serverNs - before.serverNs;
  const generator = after.generatorNs - before.generatorNs;
  const others = after.coresNs - before.coresNs - server - generator;
  return {
    serverCpuShare: server / elapsedNs,
    generatorCpuShare: generator / elapsedNs,
    othersCpuShare: Math.max(0, others / (2 * elapsedNs)),
  };
}

/** With more of the cores taken by others a measurement is repeated, and the least disturbed one is kept. */
const DISTURBANCE_MAX = 0.08;
const IDLE_SHARE_MAX = 0.05;
const QUIET_LOOK_MS = 300;
const QUIET_WAIT_MAX_MS = 8_000;

type Attempts<T> = {
  /** 1 takes what comes. */
  max: number;
  serverPid: number;
  run(): Promise<T>;
  disturbanceOf(result: T): number;
  /** A result that must not be replaced by a better one: something went wrong in it. */
  isFaulty(result: T): boolean;
};

/** Others' work is no property of a system: choosing by it favours none. */
export async function leastDisturbed<T>(attempts: Attempts<T>): Promise<T> {
  let best: T | undefined;
  for (let attempt = 1; ; attempt++) {
    if (attempts.max > 1) {
      await quietMoment(attempts.serverPid);
    }
    const result = await attempts.run();
    const disturbance = attempts.disturbanceOf(result);
    if (best === undefined || disturbance < attempts.disturbanceOf(best)) {
      best = result;
    }
    if (attempts.isFaulty(result)) {
      return result;
    }
    // NaN where there is no /proc: then nothing is known, and nothing is repeated.
    if (attempt === attempts.max || !(attempts.disturbanceOf(best) > DISTURBANCE_MAX)) {
      return best;
    }
  }
}

/** Waits until the server has done what was left to do, or long enough. */
export async function whenIdle(serverPid: number): Promise<void> {
  const deadline = performance.now() + QUIET_WAIT_MAX_MS;
  for (;;) {
    const before = markLoad(serverPid);
    await Bun.sleep(QUIET_LOOK_MS);
    const { serverCpuShare } = loadBetween(before, markLoad(serverPid));
    if (!(serverCpuShare > IDLE_SHARE_MAX) || performance.now() > deadline) return;
  }
}

/** Waits until nobody else uses the two cores, or long enough. */
async function quietMoment(serverPid: number): Promise<void> {
  const deadline = performance.now() + QUIET_WAIT_MAX_MS;
  for (;;) {
    const before = markLoad(serverPid);
    await Bun.sleep(QUIET_LOOK_MS);
    const { othersCpuShare } = loadBetween(before, markLoad(serverPid));
    if (!(othersCpuShare > DISTURBANCE_MAX) || performance.now() > deadline) {
      return;
    }
  }
}
