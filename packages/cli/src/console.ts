import { createLogOutput } from "./log-output.ts";

/** What a command gets from the process that it runs in. */
export type CliContext = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What was asked for: results and log lines, each with its line end. */
  readonly out: (text: string) => void;
  /** Log lines: what nobody takes is dropped. */
  readonly log: (line: string) => void;
  /** Everything that is said about it. */
  readonly note: (text: string) => void;
};

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** EX_CONFIG of sysexits.h: mending the configuration helps, trying again does not. */
  config: 78,
} as const;

/** Ends a command: `message` goes to stderr, without a stack trace. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What this process writes to. */
export function openConsole(): Omit<CliContext, "env"> {
  let logOutput: ((line: string) => void) | undefined;
  return {
    out: (text) => void process.stdout.write(text),
    log(line) {
      logOutput ??= createLogOutput(process.stdout);
      logOutput(line);
    },
    note: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** How long the end waits for a reader that takes nothing. */
const SETTLE_MAX_MS = 3_000;

/** Waits until everything written has left the process; `exit` would drop what a slow pipe has not taken yet. */
export async function settle(): Promise<void> {
  const written = [process.stdout, process.stderr].map(
    (stream) => new Promise<void>((resolve) => stream.write("", () => resolve())),
  );
  const late = new Promise<void>((resolve) => setTimeout(resolve, SETTLE_MAX_MS));
  await Promise.race([Promise.all(written), late]);
}
