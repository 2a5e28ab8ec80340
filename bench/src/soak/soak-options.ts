import { parseArgs } from "node:util";

export type SoakOptions = {
  minutes: number;
  /** Length of a cycle, after each of which a sample is taken. */
  cycleMs: number;
  seed: number;
  json: string | undefined;
};

export const SOAK_USAGE = `bun bench soak [options]
  --minutes n      default 60
  --seed n         of what happens and in what order
  --json file      write every sample to a file
  --help`;

/** A sample a minute; a short run takes more of them, so that it shows a line at all. */
const CYCLE_MAX_MS = 60_000;
const CYCLE_MIN_MS = 5_000;
const CYCLES = 60;

/** Throws an Error with a readable message for arguments that make no sense. */
export function parseSoakOptions(args: string[]): SoakOptions | "help" {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: "string", default: "60" },
      seed: { type: "string", default: "1" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    return "help";
  }
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  if (!(minutes > 0)) {
    throw new Error(`--minutes ${values.minutes}: a number above 0`);
  }
  if (!Number.isInteger(seed)) {
    throw new Error(`--seed ${values.seed}: a whole number`);
  }
  const cycleMs = Math.min(CYCLE_MAX_MS, Math.max(CYCLE_MIN_MS, (minutes * 60_000) / CYCLES));
  return { minutes, cycleMs, seed, json: values.json };
}
