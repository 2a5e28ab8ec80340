import { readdir, readFile, stat } from "node:fs/promises";
import { Counter, Gauge, type Registry } from "prom-client";

/**
 * The process, under the names that Prometheus' own client libraries use. Not prom-client's default set: that one never lets
 * go of its loop monitor, so that a gateway could not be closed, and lists a directory of as many entries as there are sockets at
 * each scrape.
 */
export function registerProcessMetrics(registry: Registry): void {
  const registers = [registry];
  new Counter({
    name: "process_cpu_seconds_total",
    help: "CPU time of the process, user and system",
    registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Gauge({
    name: "process_resident_memory_bytes",
    help: "Resident memory of the process",
    registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Gauge({
    name: "process_heap_bytes",
    help: "JavaScript heap in use",
    registers,
    collect() {
      this.set(process.memoryUsage().heapUsed);
    },
  });
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process started, in Unix seconds",
    registers,
    collect() {
      this.set(performance.timeOrigin / 1000);
    },
  });
  registerDescriptorMetrics(registry);
}

function registerDescriptorMetrics(registry: Registry): void {
  const registers = [registry];
  new Gauge({
    name: "process_open_fds",
    help: "Open file descriptors; one for each connection. Linux only",
    registers,
    async collect() {
      this.set(await openDescriptors());
    },
  });
  new Gauge({
    name: "process_max_fds",
    help: "Most file descriptors that the process may open. Linux only",
    registers,
    async collect() {
      this.set(await maxDescriptors());
    },
  });
}

/** Linux from 6.2 on tells their number as the directory's size; older ones are asked for the list. 0: unknown. */
async function openDescriptors(): Promise<number> {
  try {
    const { size } = await stat("/proc/self/fd");
    return size > 0 ? size : (await readdir("/proc/self/fd")).length;
  } catch {
    // Another operating system: 0 says that nobody knows.
    return 0;
  }
}

async function maxDescriptors(): Promise<number> {
  try {
    const limits = await readFile("/proc/self/limits", "utf8");
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
  } catch {
    // As above.
    return 0;
  }
}
