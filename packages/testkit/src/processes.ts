// Processes that are frozen and let go, by their ids.
import { readdirSync, readFileSync } from "node:fs";
import { eventually } from "./eventually.ts";

/** `pid` and its children: a PostgreSQL has one for each connection. */
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

/** Freezes processes; done when they stand still: the signal is only noted when it is sent, and they go on until each of their threads has come to it. */
export async function freeze(...pids: number[]): Promise<void> {
  signalAll(pids, "SIGSTOP");
  for (const pid of pids) await eventually(`process ${pid} to stand still`, () => isStill(pid));
}

/** Freezes a process, and its children when it makes no more of them. */
export async function freezeWithChildren(pid: number): Promise<void> {
  await freeze(pid);
  await freeze(...processesOf(pid));
}

/** Lets go what {@link freeze} has frozen. */
export function letGo(...pids: number[]): void {
  signalAll(pids, "SIGCONT");
}

/** None of its threads runs: each is stopped, or over. */
export function isStill(pid: number): boolean {
  return statesOf(pid).every((state) => "TtZX".includes(state));
}

/** One letter for each thread, as `proc_pid_stat(5)` has them. Empty where a process is gone, or the system has no `/proc`. */
function statesOf(pid: number): string[] {
  return threadsOf(pid).flatMap((thread) => {
    const stat = unlessGone(() => readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8"));
    // Behind the name of the program, which may hold anything.
    return stat === undefined ? [] : [stat.charAt(stat.lastIndexOf(")") + 2)];
  });
}

function threadsOf(pid: number): string[] {
  return unlessGone(() => readdirSync(`/proc/${pid}/task`)) ?? [];
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
}
