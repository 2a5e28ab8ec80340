import type { Load } from "../generator/load.ts";
import type { JobBase, Timing } from "../job.ts";
import { busyRow, resultsOf, rowOf } from "../rows.ts";
import { type Scenario, turnsOf, type Variant } from "../scenario.ts";
import { showCount, threeDigits } from "../statistics.ts";

/** Joins and leaves in a channel with presence, of which everybody in it is told. Aldis alone: nobody else here has it. */
export type PresenceJob = JobBase &
  Timing & {
    scenario: "presence";
    channel: string;
    /** Users who stay. */
    members: number;
    /** Users who subscribe and unsubscribe as fast as they are answered. */
    churners: number;
  };

export type PresenceResult = Load & {
  scenario: "presence";
  members: number;
  /** Joins and leaves of the whole run, all of them answered. */
  changes: number;
  /** Who is there when all churners have left; must be the members. */
  countAtEnd: number;
  /** Members whose last push told another count. */
  misinformed: number;
  /** Within the measured window: */
  changesPerSecond: number;
  serverCpuUsPerChange: number;
  /** Pushes that one member got. */
  pushesPerMemberPerSecond: number;
};

export const presence: Scenario<PresenceJob, PresenceResult> = {
  turns: (systems) =>
    turnsOf(systems, ["aldis"]).map((turn) => ({ ...turn, channel: "presence:churn" })),
  plan: ({ system, channel }, { sizes, attemptsMax }) => ({
    scenario: "presence",
    system,
    channel,
    members: sizes.members,
    churners: sizes.churners,
    warmUpMs: sizes.warmUpMs,
    measureMs: sizes.measureMs,
    attemptsMax,
  }),
  rows(samples) {
    const of = (variant: Variant) => resultsOf(samples, variant);
    const count = samples[0]?.results[0]?.members;
    return [
      rowOf({
        name: `presence churn among ${count}: joins and leaves/s`,
        series: (variant) => of(variant).map((result) => result.changesPerSecond),
        show: showCount,
      }),
      rowOf({
        name: "  server CPU µs per change",
        series: (variant) => of(variant).map((result) => result.serverCpuUsPerChange),
        show: (value) => value.toFixed(1),
      }),
      rowOf({
        name: "  pushes a second to each member",
        series: (variant) => of(variant).map((result) => result.pushesPerMemberPerSecond),
        show: threeDigits,
      }),
      busyRow(of),
    ];
  },
  faults: ({ members, countAtEnd, misinformed }) =>
    countAtEnd === members && misinformed === 0
      ? []
      : [`${countAtEnd} present instead of ${members}, ${misinformed} members told otherwise`],
};
