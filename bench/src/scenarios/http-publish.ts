import type { Load } from "../generator/load.ts";
import type { HistogramDump } from "../histogram.ts";
import type { JobBase, Timing } from "../job.ts";
import type { Options } from "../options.ts";
import { costRows, resultsOf, rowOf, verdict } from "../rows.ts";
import { type Plan, type Scenario, type Turn, turnsOf, type Variant } from "../scenario.ts";
import { ratioSpread, showCount } from "../statistics.ts";

/** Backends that publish over HTTP, on connections kept alive; nobody is subscribed. */
const SHARE_OF_BARE_BUN_MIN = 0.6;

export type HttpJob = JobBase &
  Timing & {
    scenario: "http";
    channel: string;
    connections: number;
    payloadBytes: number;
    /** Of a cluster, at so many nodes a connection is subscribed to the channel. */
    listeners: number;
  };

export type HttpResult = Load & {
  scenario: "http";
  /** Of the whole run. */
  requested: number;
  answered: number;
  /** The greatest offset that an answer held, less the one before the run: each publish took one. */
  offsets: number;
  /** Fewest and most publications that a listener got; without listeners, as many as were requested. */
  heardMin: number;
  heardMax: number;
  /** Within the measured window: */
  publishesPerSecond: number;
  serverCpuUsPerPublish: number;
  redisCpuUsPerPublish: number;
  latency: HistogramDump;
};

export const httpPublish: Scenario<HttpJob, HttpResult> = {
  turns: (systems) => turnsOf(systems, ["aldis", "bun"]),
  plan: httpPlan,
  rows(samples) {
    const of = (variant: Variant) => resultsOf(samples, variant);
    const rates = (variant: Variant) => of(variant).map((result) => result.publishesPerSecond);
    return [
      rowOf({
        name: "HTTP publishes/s (bare Bun: parses and answers)",
        series: rates,
        show: showCount,
        ratios: true,
        target: verdict("bare Bun", ratioSpread(rates("aldis"), rates("bun")), {
          min: SHARE_OF_BARE_BUN_MIN,
        }),
      }),
      ...costRows(of, {
        name: "µs per publish",
        of: (result) => result.serverCpuUsPerPublish,
        digits: 1,
      }),
    ];
  },
  faults: httpFaults,
};

export function httpPlan(
  { system, channel }: Turn,
  { sizes, attemptsMax }: Options,
): Plan<HttpJob> {
  return {
    scenario: "http",
    system,
    channel,
    connections: sizes.httpConnections,
    payloadBytes: sizes.payloadBytes,
    listeners: 0,
    warmUpMs: sizes.warmUpMs,
    measureMs: sizes.measureMs,
    attemptsMax,
  };
}

/** Every request was answered and got an offset of its own, and every listener heard of it once. */
export function httpFaults(result: HttpResult): string[] {
  const { requested, answered, offsets, heardMin, heardMax } = result;
  return [answered, offsets, heardMin, heardMax].every((count) => count === requested)
    ? []
    : [
        `${requested} requested, ${answered} answered, ${offsets} offsets given, ` +
          `heard by listeners ${heardMin} to ${heardMax}`,
      ];
}
