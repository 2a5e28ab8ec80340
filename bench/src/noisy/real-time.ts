import { existsSync, readdirSync } from "node:fs";

export type Place = { readonly core: number; readonly priority: number };

/**
 * Gives the main thread of a process a core and a real-time priority (`chrt -f`, for root), and its other threads another of each: those of the engine (JIT, collector,
 * allocator) are not to hold up the loop that is measured, which they do nowhere with a core to spare. Threads of one process on one core must have the same priority:
 * the engine waits for them by yielding. Returns false where it may not.
 */
export function place(pid: number, main: Place, rest: Place): boolean {
  if (!existsSync("/proc/self/task")) return false;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const { core, priority } = thread === String(pid) ? main : rest;
    const commands = [
      ["taskset", "-c", "-p", String(core), thread],
      ["chrt", "-f", "-p", String(priority), thread],
    ];
    for (const command of commands) {
      if (Bun.which(command[0] ?? "") === null) return false;
      const isGone = () => !readdirSync(`/proc/${pid}/task`).includes(thread);
      if (Bun.spawnSync(command).exitCode !== 0 && !isGone()) return false;
    }
  }
  return true;
}
