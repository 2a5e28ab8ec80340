import type { JobBase, SystemName } from "./job.ts";
import type { Options, ScenarioName } from "./options.ts";
import type { Row } from "./rows.ts";

/** What is measured in one turn: a system, and where that says too little, what of it. */
export type Variant = SystemName | `${SystemName}, ${string}`;

export type StoreName = "sqlite" | "postgres";

/** One server process, measured once. */
export type Turn = {
  variant: Variant;
  system: SystemName;
  channel: string;
  /** Gateways over one Redis; one server without any, unless given. */
  nodes?: number;
  /** Where the gateway keeps its records; none unless given. */
  store?: StoreName;
};

/** What every result of the load generator holds. */
export type ResultBase = {
  scenario: string;
  /** Share of the two cores that others took; absent where nothing is timed. */
  othersCpuShare?: number;
};

export type Sample<Result = ResultBase> = {
  scenario: ScenarioName;
  variant: Variant;
  round: number;
  results: Result[];
  /** The greatest share of the cores that others took in this sample. */
  disturbance: number;
};

/** A job before its server runs. */
export type Plan<Job extends JobBase = JobBase> = Omit<Job, "port" | "serverPid" | "peers"> & {
  /** As in the turn. */
  nodes?: number | undefined;
  store?: StoreName | undefined;
};

/** One thing to measure: which turns there are, what the generator is told, and what is made of its results. */
export type Scenario<Job extends JobBase = JobBase, Result extends ResultBase = ResultBase> = {
  /** In the order of a first round. */
  turns(systems: readonly SystemName[]): Turn[];
  plan(turn: Turn, options: Options): Plan<Job>;
  /** Whether a disturbed measurement needs a fresh server; otherwise the generator repeats it by itself. */
  repeatsWithFreshServer?: boolean;
  /** Of this scenario's samples. */
  rows(samples: Sample<Result>[]): Row[];
  /** What makes a result worthless: lost, doubled or out of order. Empty for a good one. */
  faults(result: Result): string[];
};

/** The namespaces that the Aldis server of the bench is configured with. */
export const CHANNELS = { plain: "bench:fan-out", history: "history:fan-out" } as const;

/** One turn for each system that takes part, all in the same channel. */
export function turnsOf(
  systems: readonly SystemName[],
  among: readonly SystemName[] = systems,
): Turn[] {
  return systems
    .filter((system) => among.includes(system))
    .map((system) => ({ variant: system, system, channel: CHANNELS.plain }));
}
