import { readFileSync } from "node:fs";

/** CPU time and memory of a process, from /proc; NaN where there is none (not Linux). */
const PAGE_BYTES = 4096;
const TICK_NS = 10_000_000; // USER_HZ is 100 on every Linux that Bun runs on

/** Nanoseconds of CPU that all threads of the process have used, in steps of 10 ms. */
export function cpuNs(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_NS;
}

export function rssBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1]) * 1024;
}

/** Nanoseconds that cores 0 and 1 have worked for anybody, interrupts left out; also what the host took away. */
export function coresBusyNs(): number {
  let ticks = 0;
  for (const line of read("/proc/stat").matchAll(/^cpu[01] (.+)$/gm)) {
    const [user, nice, system, , , , , steal] = (line[1] ?? "").split(" ").map(Number);
    ticks += (user ?? 0) + (nice ?? 0) + (system ?? 0) + (steal ?? 0);
  }
  return ticks * TICK_NS;
}

/** What the kernel holds for all processes together: its objects, sockets among them, and the buffers of TCP. */
export function kernelBytes(): number {
  const slabKb = Number(/^Slab:\s+(\d+) kB/m.exec(read("/proc/meminfo"))?.[1]);
  const pages = Number(/^TCP: .* mem (\d+)/m.exec(read("/proc/net/sockstat"))?.[1]);
  return slabKb * 1024 + pages * PAGE_BYTES;
}

/** This process's ceiling of open files; infinite where it cannot be read. */
export function openFilesMax(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(read("/proc/self/limits"))?.[1];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the caller's numbers become NaN, which the report shows as "–"
  }
}
