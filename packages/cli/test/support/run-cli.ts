import { fileURLToPath } from "node:url";
import { eventually } from "@aldis/testkit";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
export const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));

/** A command that runs as a process of its own. */
export type Running = AsyncDisposable & {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  /** The parts of the first match in stdout and stderr together, once there is one. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  /** Sends the signal until the process has ended: signals close to the first one do not count as a second. */
  insist(signal: NodeJS.Signals): Promise<void>;
  readonly exited: Promise<number>;
};

type Environment = Record<string, string>;

/** The real command line, in an environment without settings but `env`; without a store unless `env` names one. */
export function startCli(args: readonly string[], env: Environment = {}): Running {
  return startProcess([process.execPath, MAIN, ...args], env);
}

/** A script of these tests. */
export function startScript(path: string): Running {
  return startProcess([process.execPath, path], {});
}

/** What a user pastes into a shell, run from the repository's root. */
export function startShell(line: string, env: Environment = {}): Running {
  return startProcess(["sh", "-c", line], env);
}

/** Runs to its end. */
export async function runCli(args: readonly string[], env: Environment = {}) {
  await using running = startCli(args, env);
  const code = await running.exited;
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

function startProcess(command: string[], env: Environment): Running {
  const child = Bun.spawn(command, {
    cwd: ROOT,
    // A group of its own, so that what it starts ends with it, and nothing else does.
    detached: true,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...bareEnvironment(), NO_COLOR: "1", ALDIS_STORE_URL: "none", ...env },
  });
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const everything = () => `${stdout.text()}\n${stderr.text()}`;
  const exited = Promise.all([child.exited, stdout.done, stderr.done]).then(([code]) => code);
  return {
    pid: child.pid,
    stdout: stdout.text,
    stderr: stderr.text,
    exited,
    async until(pattern) {
      return await eventually(`${pattern} in ${command.join(" ")}`, () => {
        const found = pattern.exec(everything());
        if (found === null && child.exitCode !== null) {
          throw new Error(`ended with ${child.exitCode} before ${pattern}: ${everything()}`);
        }
        return found ?? undefined;
      });
    },
    kill: (signal) => child.kill(signal),
    async insist(signal) {
      await eventually("the process has ended", () => {
        child.kill(signal);
        return child.exitCode !== null || child.signalCode !== null;
      });
    },
    async [Symbol.asyncDispose]() {
      endGroup(child.pid);
      await child.exited;
    },
  };
}

/** The group is this test's own; it is gone already when all in it have ended. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as { code?: string }).code !== "ESRCH") throw error;
  }
}

function bareEnvironment(): Environment {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("ALDIS_"));
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? ""]));
}

function collect(stream: ReadableStream<Uint8Array>) {
  const decoder = new TextDecoder();
  let text = "";
  async function read(): Promise<void> {
    for await (const bytes of stream) text += decoder.decode(bytes, { stream: true });
  }
  return { text: () => text, done: read() };
}
