/** What a command gets from the process that it runs in. */
export type CliContext = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What was asked for: results and log lines, each with its line end. */
  readonly out: (text: string) => void;
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

export const processConsole: Omit<CliContext, "env"> = {
  out: (text) => void process.stdout.write(text),
  note: (text) => void process.stderr.write(`${text}\n`),
};

/** Waits until everything written has left the process; `exit` would drop what a slow pipe has not taken yet. */
export async function settle(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    await new Promise<void>((resolve) => stream.write("", () => resolve()));
  }
}
