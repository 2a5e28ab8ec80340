import type { Load } from "../generator/load.ts";
import type { HistogramDump } from "../histogram.ts";
import type { JobBase, Timing } from "../job.ts";
import { costRows, resultsOf, rowOf } from "../rows.ts";
import type { Scenario, Turn, Variant } from "../scenario.ts";
import { showCount } from "../statistics.ts";

/** A notification to many users who are online, one call after another: committed for each of them, and told to each. Aldis alone. */
export type NotifyJob = JobBase &
  Timing & {
    scenario: "notify";
    /** Each on one connection. */
    users: number;
  };

export type NotifyResult = Load & {
  scenario: "notify";
  users: number;
  /** Of the whole run: calls that were answered with 200, and pushes that came. */
  answered: number;
  told: number;
  /** Within the measured window: */
  notificationsPerSecond: number;
  serverCpuUsPerNotification: number;
  /** From the call until the last of all users had it. */
  latency: HistogramDump;
};

const TURN: Turn = { variant: "aldis", system: "aldis", channel: "", store: "sqlite" };

export const notify: Scenario<NotifyJob, NotifyResult> = {
  turns: (systems) => (systems.includes(TURN.system) ? [TURN] : []),
  plan: ({ system, store }, { sizes, attemptsMax }) => ({
    scenario: "notify",
    system,
    store,
    users: sizes.subscribers,
    warmUpMs: sizes.warmUpMs,
    measureMs: sizes.measureMs,
    attemptsMax,
  }),
  rows(samples) {
    const of = (variant: Variant) => resultsOf(samples, variant);
    const count = samples[0]?.results[0]?.users;
    return [
      rowOf({
        name: `notifications/s, sqlite, each call to ${count} online users`,
        series: (variant) => of(variant).map((result) => result.notificationsPerSecond),
        show: showCount,
      }),
      ...costRows(of, {
        name: "µs per notification",
        of: (result) => result.serverCpuUsPerNotification,
        digits: 1,
      }),
    ];
  },
  faults: ({ users, answered, told }) =>
    told === answered * users ? [] : [`${answered} calls to ${users} users, ${told} pushes`],
};
