import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ending } from "./verdict.ts";

/** The repository, wherever the scripts were started from. */
export const ROOT = join(import.meta.dir, "..");

export type Finished = {
  readonly ending: Ending;
  readonly output: string;
  readonly tookMs: number;
};

type Limits = {
  readonly timeLimitMs: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs; the repository unless given. */
  readonly cwd?: string;
};

/**
 * Runs a program in a process group of its own and kills all of that group at the end or at the time
 * limit. Output goes through a file: a pipe would stay open as long as some stray grandchild lives.
 */
export async function runChild(command: readonly string[], limits: Limits): Promise<Finished> {
  return withTempFolder(async (folder) => {
    const logPath = join(folder, "output");
    const log = openSync(logPath, "w");
    const startedAtMs = performance.now();
    const ending = await spawnInGroup(command, limits, log);
    closeSync(log);
    const tookMs = performance.now() - startedAtMs;
    return { ending, output: readFileSync(logPath, "utf8"), tookMs };
  });
}

/** Runs a script of ours or a tool's, by the very Bun that runs this one: none need be on the PATH. */
export function runBun(args: readonly string[], limits: Limits): Promise<Finished> {
  return runChild([process.execPath, ...args], limits);
}

export async function withTempFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "aldis-test-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function spawnInGroup(command: readonly string[], limits: Limits, log: number): Promise<Ending> {
  const [program = "", ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: limits.cwd ?? ROOT,
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, ...limits.env },
    });
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, limits.timeLimitMs);
    const end = (code: number) => {
      clearTimeout(timer);
      killGroup(child.pid);
      resolve(timedOut ? { kind: "timeout" } : { kind: "exit", code });
    };
    child.once("error", () => end(127));
    // Killed by a signal: no code of its own.
    child.once("exit", (code) => end(code ?? 128));
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // The whole group has ended by itself, which is what was wanted.
  }
}
