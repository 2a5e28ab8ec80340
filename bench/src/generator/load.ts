import { coresBusyNs, cpuNs } from "./proc.ts";

/** Who used the cores so far: the difference of two of these is a {@link Load}. */
export type LoadMark = { atMs: number; serverNs: number; generatorNs: number; coresNs: number };

/** Shares of one core, over a stretch of time. */
export type Load = {
  serverCpuShare: number;
  generatorCpuShare: number;
  /** What neither of the two used, of both cores: other processes, and a host that gives less. */
  othersCpuShare: number;
};

export function markLoad(serverPid: number): LoadMark {
  return {
    atMs: performance.now(),
    serverNs: cpuNs(serverPid),
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
