import type { Load } from "../generator/load.ts";
import type { HistogramDump } from "../histogram.ts";
import type { JobBase, Timing } from "../job.ts";
import { costRows, resultsOf, rowOf } from "../rows.ts";
import { type Scenario, turnsOf, type Variant } from "../scenario.ts";
import { showCount } from "../statistics.ts";

/** Many clients that publish, each in a small channel, and wait for their replies. */
export const CLIENTS_OF_A_CHANNEL = 5;

export type ClientsJob = JobBase &
  Timing & {
    scenario: "clients";
    connections: number;
    /** Publishes of each connection in flight. */
    window: number;
    payloadBytes: number;
    /** Instead of publishing they say something in a room of chat, which is kept before it is acknowledged. */
    says?: "chat";
  };

export type ClientsResult = Load & {
  scenario: "clients";
  connections: number;
  published: number;
  acknowledged: number;
  delivered: number;
  /** Connections that did not get exactly what was published to their channel. */
  inexact: number;
  /** Within the measured window: */
  publishesPerSecond: number;
  serverCpuUsPerPublish: number;
  /** From a publish to its reply. */
  latency: HistogramDump;
};

export const clientPublish: Scenario<ClientsJob, ClientsResult> = {
  turns: turnsOf,
  plan: ({ system }, { sizes, attemptsMax }) => ({
    scenario: "clients",
    system,
    connections: sizes.publishers,
    window: sizes.publisherWindow,
    payloadBytes: sizes.payloadBytes,
    warmUpMs: sizes.warmUpMs,
    measureMs: sizes.measureMs,
    attemptsMax,
  }),
  rows(samples) {
    const of = (variant: Variant) => resultsOf(samples, variant);
    const count = samples[0]?.results[0]?.connections;
    return [
      rowOf({
        name: `client publishes/s, ${count} clients, ${CLIENTS_OF_A_CHANNEL} in a channel`,
        series: (variant) => of(variant).map((result) => result.publishesPerSecond),
        show: showCount,
        ratios: true,
      }),
      ...costRows(of, {
        name: "µs per publish",
        of: (result) => result.serverCpuUsPerPublish,
        digits: 1,
      }),
    ];
  },
  faults: ({ published, acknowledged, delivered, inexact }) =>
    published === acknowledged && delivered === published * CLIENTS_OF_A_CHANNEL && inexact === 0
      ? []
      : [
          `${published} published, ${acknowledged} acknowledged, ${delivered} delivered, ` +
            `${inexact} connections with too many or too few`,
        ],
};
