import { readFileSync } from "node:fs";

/** `pid` first, so that it makes no more of them, then its children: a PostgreSQL has one for each connection. */
export function processesOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return [pid, ...readFileSync(path, "utf8").split(" ").filter(Boolean).map(Number)];
}

/** Some may be gone by now. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}
