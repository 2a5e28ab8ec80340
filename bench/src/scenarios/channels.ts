import type { Load } from "../generator/load.ts";
import type { HistogramDump } from "../histogram.ts";
import type { JobBase, Timing } from "../job.ts";
import { costRows, resultsOf, rowOf } from "../rows.ts";
import { type Scenario, turnsOf, type Variant } from "../scenario.ts";
import { showCount } from "../statistics.ts";

/** Many channels with few subscribers each: what counts is the way to the channel, not the loop over its subscribers. */
export const SUBSCRIBERS_OF_EACH = 10;

export type ChannelsJob = JobBase &
  Timing & {
    scenario: "channels";
    /** As many connections, each in {@link SUBSCRIBERS_OF_EACH} of them. */
    channels: number;
    window: number;
    payloadBytes: number;
  };

export type ChannelsResult = Load & {
  scenario: "channels";
  channels: number;
  published: number;
  delivered: number;
  /** Connections that did not get exactly what was published to their channels. */
  inexact: number;
  /** Deliveries that were not the next ones of their channel, at their subscriber. */
  disordered: number;
  /** Within the measured window: */
  deliveriesPerSecond: number;
  serverCpuNsPerDelivery: number;
  latency: HistogramDump;
};

export const channels: Scenario<ChannelsJob, ChannelsResult> = {
  turns: turnsOf,
  plan: ({ system }, { sizes, attemptsMax }) => ({
    scenario: "channels",
    system,
    channels: sizes.channels,
    window: sizes.channelsWindow,
    payloadBytes: sizes.payloadBytes,
    warmUpMs: sizes.warmUpMs,
    measureMs: sizes.measureMs,
    attemptsMax,
  }),
  rows(samples) {
    const of = (variant: Variant) => resultsOf(samples, variant);
    const count = samples[0]?.results[0]?.channels;
    return [
      rowOf({
        name: `${count} channels of ${SUBSCRIBERS_OF_EACH}: deliveries/s`,
        series: (variant) => of(variant).map((result) => result.deliveriesPerSecond),
        show: showCount,
        ratios: true,
      }),
      ...costRows(of, {
        name: "ns per delivery",
        of: (result) => result.serverCpuNsPerDelivery,
        digits: 0,
      }),
    ];
  },
  faults: ({ published, delivered, inexact, disordered }) =>
    inexact === 0 && disordered === 0 && delivered === published * SUBSCRIBERS_OF_EACH
      ? []
      : [
          `${published} published, ${delivered} delivered, ${inexact} connections with too many or too few, ` +
            `${disordered} out of order`,
        ],
};
