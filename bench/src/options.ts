import { parseArgs } from "node:util";
import { SYSTEMS, type SystemName } from "./job.ts";
import { FULL, QUICK, type Sizes } from "./sizes.ts";

export const SCENARIO_NAMES = [
  "fanout",
  "cluster",
  "channels",
  "clients",
  "http",
  "broker",
  "connect",
  "memory",
  "history",
  "codec",
  "presence",
  "stuck",
  "chat",
  "chat-history",
  "notify",
] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

export type Options = {
  rounds: number;
  /** How often a measurement is tried when other processes take the cores; 1 takes what comes. */
  attemptsMax: number;
  only: ScenarioName[];
  systems: SystemName[];
  json: string | undefined;
  sizes: Sizes;
};

export const USAGE = `bun bench [options]     (bun bench soak, scale, store, webhooks, rpc, jobs, noisy or capacity, each with --help)
  --quick          one round, shorter and smaller
  --only a,b       of ${SCENARIO_NAMES.join(", ")}
  --systems a,b    of ${SYSTEMS.join(", ")}
  --rounds n       default 3 (quick: 1)
  --json file      write every single measurement to a file
  --help`;

/** Throws an Error with a readable message for arguments that make no sense. */
export function parseOptions(args: string[]): Options | "help" {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      systems: { type: "string" },
      rounds: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    return "help";
  }
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
  if (!Number.isInteger(rounds) || rounds < 1) {
    throw new Error(`--rounds ${values.rounds}: a whole number from 1 up`);
  }
  return {
    rounds,
    attemptsMax: values.quick ? 2 : 5,
    only: chosen("only", values.only, SCENARIO_NAMES),
    systems: chosen("systems", values.systems, SYSTEMS),
    json: values.json,
    sizes: values.quick ? QUICK : FULL,
  };
}

function chosen<T extends string>(name: string, list: string | undefined, all: readonly T[]): T[] {
  const names = list?.split(",") ?? all;
  return names.map((entry) => {
    const found = all.find((known) => known === entry);
    if (found === undefined) {
      throw new Error(`--${name} ${entry}: choose from ${all.join(", ")}`);
    }
    return found;
  });
}
