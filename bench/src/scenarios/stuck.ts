import type { HistogramDump } from "../histogram.ts";
import type { JobBase, Timing } from "../job.ts";
import { mergedOf, resultsOf, rowOf, verdict } from "../rows.ts";
import type { Sample, Scenario, Variant } from "../scenario.ts";
import { ratioSpread, showCount, showSpread, threeDigits } from "../statistics.ts";

/** What subscribers that never read cost those who do, at a fixed rate of publishing. Aldis alone, for each policy. */
const P99_TIMES_MAX = 1.3;
/** A try takes the better part of a minute. */
const ATTEMPTS_MAX = 2;
/** The namespaces of the bench's server, by the policy that they have for slow consumers. */
export const STUCK_POLICIES = ["close", "drop-oldest", "latest", "catch-up"] as const;
export type StuckPolicy = (typeof STUCK_POLICIES)[number];

export type StuckJob = JobBase &
  Timing & {
    scenario: "stuck";
    channel: string;
    healthy: number;
    /** So many more subscribers, which read in one half of the run and do not in the other. */
    stuck: number;
    payloadBytes: number;
    /** How often the two halves take their turns. */
    turns: number;
  };

export type StuckResult = {
  scenario: "stuck";
  healthy: number;
  stuck: number;
  othersCpuShare: number;
  /** The rate of publishing: a share of what the server can do. */
  publishesPerSecond: number;
  published: number;
  deliveredMin: number;
  deliveredMax: number;
  disordered: number;
  /** How often a stuck client was closed. */
  closed: number;
  /** From when a publish was due to its delivery at the healthy ones, while all read and while some do not. */
  latencyReading: HistogramDump;
  latencyStuck: HistogramDump;
};

export const stuck: Scenario<StuckJob, StuckResult> = {
  turns: (systems) =>
    systems.includes("aldis")
      ? STUCK_POLICIES.map((policy) => ({
          variant: variantOf(policy),
          system: "aldis" as const,
          channel: `stuck-${policy}:all`,
        }))
      : [],
  plan: ({ system, channel }, { sizes, attemptsMax }) => ({
    scenario: "stuck",
    system,
    channel,
    healthy: sizes.stuckHealthy,
    stuck: sizes.stuckClients,
    payloadBytes: sizes.stuckPayloadBytes,
    warmUpMs: sizes.warmUpMs,
    measureMs: sizes.stuckMeasureMs,
    turns: sizes.stuckTurns,
    attemptsMax: Math.min(ATTEMPTS_MAX, attemptsMax),
  }),
  rows: (samples) => STUCK_POLICIES.flatMap((policy) => policyRows(samples, policy)),
  faults({ published, deliveredMin, deliveredMax, disordered }) {
    return deliveredMin === published && deliveredMax === published && disordered === 0
      ? []
      : [
          `${published} published, healthy subscribers got ${deliveredMin} to ${deliveredMax}, ` +
            `${disordered} out of order`,
        ];
  },
};

function variantOf(policy: StuckPolicy): Variant {
  return `aldis, ${policy}`;
}

function policyRows(samples: Sample<StuckResult>[], policy: StuckPolicy) {
  const results = resultsOf(samples, variantOf(policy));
  const [first] = results;
  if (first === undefined) {
    return [];
  }
  const p99 = (dump: HistogramDump) => mergedOf([dump]).percentile(0.99);
  const reading = results.map(({ latencyReading }) => p99(latencyReading));
  const unread = results.map(({ latencyStuck }) => p99(latencyStuck));
  const times = ratioSpread(unread, reading);
  const row = (name: string, values: number[], target = "") =>
    rowOf({
      name,
      series: (column) => (column === "aldis" ? values : []),
      show: threeDigits,
      target,
    });
  const rate = showCount(first.publishesPerSecond * first.healthy);
  const target = verdict("", times, { max: P99_TIMES_MAX });
  return [
    row(`p99 ms of ${first.healthy}, all read (${rate}/s, ${policy})`, reading),
    row(
      `  with ${first.stuck} stuck`,
      unread,
      `stuck ÷ reading ${showSpread(times, threeDigits)}, ${target}`,
    ),
    row(
      "  stuck clients closed",
      results.map(({ closed }) => closed),
    ),
  ];
}
