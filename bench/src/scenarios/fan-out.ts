import type { Load } from "../generator/load.ts";
import { openFilesMax } from "../generator/proc.ts";
import type { HistogramDump } from "../histogram.ts";
import type { JobBase, Timing } from "../job.ts";
import type { Options } from "../options.ts";
import { busyRow, latencyRow, type Row, resultsOf, rowOf, verdict, verdicts } from "../rows.ts";
import {
  CHANNELS,
  type Plan,
  type Sample,
  type Scenario,
  type Turn,
  turnsOf,
  type Variant,
} from "../scenario.ts";
import { ratioSpread, showCount, showSpread, threeDigits } from "../statistics.ts";

/** One publisher, many subscribers of one channel; and the same with and without history. */
const SHARE_OF_BARE_BUN_MIN = 0.8;
const TIMES_SOCKET_IO_MIN = 8;
const HISTORY_SHARE_MIN = 0.75;
/** Descriptors that a process needs besides its connections. */
const SPARE_FILES = 200;

export type FanOutJob = JobBase &
  Timing & {
    scenario: "fanout";
    channel: string;
    subscribers: number;
    /** Publishes in flight, one run for each. */
    levels: number[];
    payloadBytes: number;
    /** Of the subscribers, those that speak MessagePack. */
    messagePackShare: number;
  };

export type FanOutResult = Load & {
  scenario: "fanout";
  level: number;
  /** Publishes of the whole run, warm-up included; every subscriber must have got each of them once. */
  published: number;
  delivered: number;
  /** Fewest and most deliveries counted at one subscriber. */
  deliveredMin: number;
  deliveredMax: number;
  /** Sequence numbers out of order at the sampled subscribers. */
  disordered: number;
  /** Within the measured window: */
  deliveriesPerSecond: number;
  bytesPerDelivery: number;
  serverCpuNsPerDelivery: number;
  latency: HistogramDump;
};

/** Every subscriber got every publish, once, in order. */
export function isExact(result: FanOutResult): boolean {
  const { published, deliveredMin, deliveredMax, disordered } = result;
  return deliveredMin === published && deliveredMax === published && disordered === 0;
}

export const fanOut: Scenario<FanOutJob, FanOutResult> = {
  turns: turnsOf,
  plan: (turn, options) => planFor(turn, options, options.sizes.levels),
  rows: (samples) => levelsOf(samples).flatMap((level) => levelRows(samples, level)),
  faults: fanOutFaults,
};

const OFF: Variant = "aldis, history off";
const ON: Variant = "aldis, history on";

export const history: Scenario<FanOutJob, FanOutResult> = {
  turns: (systems) =>
    systems.includes("aldis")
      ? [
          { variant: OFF, system: "aldis", channel: CHANNELS.plain },
          { variant: ON, system: "aldis", channel: CHANNELS.history },
        ]
      : [],
  plan: (turn, options) => planFor(turn, options, options.sizes.historyLevels),
  rows: (samples) => levelsOf(samples).flatMap((level) => historyRows(samples, level)),
  faults: fanOutFaults,
};

/** For {@link history}, and to find out what a delivery weighs. */
export function planFor(turn: Turn, options: Options, levels: number[]): Plan<FanOutJob> {
  const { sizes, attemptsMax } = options;
  const { subscribers, payloadBytes, warmUpMs, measureMs } = sizes;
  return {
    scenario: "fanout",
    system: turn.system,
    channel: turn.channel,
    subscribers: Math.min(subscribers, openFilesMax() - SPARE_FILES),
    levels,
    payloadBytes,
    warmUpMs,
    measureMs,
    attemptsMax,
    messagePackShare: 0,
  };
}

function levelRows(samples: Sample<FanOutResult>[], level: number): Row[] {
  const of = ofLevel(samples, level);
  const rates = (variant: Variant) => of(variant).map((result) => result.deliveriesPerSecond);
  const bun = ratioSpread(rates("aldis"), rates("bun"));
  const socketIo = ratioSpread(rates("aldis"), rates("socket.io"));
  const target = verdicts(
    verdict("bare Bun", bun, { min: SHARE_OF_BARE_BUN_MIN }),
    verdict("Socket.IO", socketIo, { min: TIMES_SOCKET_IO_MIN }),
  );
  return [
    rowOf({
      name: `fan-out, ${level} in flight: deliveries/s`,
      series: rates,
      show: showCount,
      ratios: true,
      target: level === 1 ? "" : target,
    }),
    latencyRow(of, 0.5),
    latencyRow(of, 0.99),
    rowOf({
      name: "  bytes per delivery",
      series: (variant) => of(variant).map((result) => result.bytesPerDelivery),
      show: (value) => value.toFixed(0),
    }),
    rowOf({
      name: "  server CPU ns per delivery",
      series: (variant) => of(variant).map((result) => result.serverCpuNsPerDelivery),
      show: (value) => value.toFixed(0),
      ratios: true,
    }),
    busyRow(of),
  ];
}

function historyRows(samples: Sample<FanOutResult>[], level: number): Row[] {
  const of = ofLevel(samples, level);
  const rates = (variant: Variant) => of(variant).map((result) => result.deliveriesPerSecond);
  const ratio = ratioSpread(rates(ON), rates(OFF));
  const target = `on ÷ off ${showSpread(ratio, threeDigits)}, ${verdict("off", ratio, { min: HISTORY_SHARE_MIN })}`;
  return [OFF, ON].map((variant) =>
    rowOf({
      name: `${variant.replace("aldis, ", "")}, ${level} in flight: deliveries/s`,
      series: (column) => (column === "aldis" ? rates(variant) : []),
      show: showCount,
      target: variant === ON ? target : "",
    }),
  );
}

function ofLevel(samples: Sample<FanOutResult>[], level: number) {
  return (variant: Variant) =>
    resultsOf(samples, variant).filter((result) => result.level === level);
}

function levelsOf(samples: Sample<FanOutResult>[]): number[] {
  return [...new Set(samples.flatMap(({ results }) => results.map(({ level }) => level)))];
}

/** Of a run in which one delivery is missing, doubled or out of order. */
export function fanOutFaults(result: FanOutResult): string[] {
  const { level, published, deliveredMin, deliveredMax, disordered } = result;
  return isExact(result)
    ? []
    : [
        `${level} in flight: ${published} published, ` +
          `subscribers got ${deliveredMin} to ${deliveredMax}, ${disordered} out of order`,
      ];
}
