import type { SystemName } from "../job.ts";
import { busyRow, latencyRow, type Row, resultsOf, rowOf, verdict } from "../rows.ts";
import { CHANNELS, type Sample, type Scenario, type Turn, type Variant } from "../scenario.ts";
import { missingRedis } from "../servers/redis.ts";
import { ratioSpread, showCount, threeDigits } from "../statistics.ts";
import { type FanOutJob, type FanOutResult, fanOutFaults, planFor } from "./fan-out.ts";

/**
 * Fan-out with the subscribers spread over several nodes, the publisher at the first one: beside the same without a cluster, and
 * beside Socket.IO with its Redis adapter. All nodes and their Redis share core 0, as the one server does elsewhere.
 */
const TIMES_SOCKET_IO_MIN = 5;
const NODES = 3;
const AMONG: readonly SystemName[] = ["aldis", "socket.io"];

export const cluster: Scenario<FanOutJob, FanOutResult> = {
  turns(systems) {
    if (missingRedis() !== undefined) return [];
    const chosen = AMONG.filter((system) => systems.includes(system));
    return [
      ...chosen.map((system): Turn => ({ variant: system, ...base(system), nodes: NODES })),
      ...chosen.map((system): Turn => ({ variant: alone(system), ...base(system) })),
    ];
  },
  plan: (turn, options) => ({
    ...planFor(turn, options, options.sizes.clusterLevels),
    nodes: turn.nodes,
  }),
  rows: (samples) => levelsOf(samples).flatMap((level) => levelRows(samples, level)),
  faults: fanOutFaults,
};

function base(system: SystemName): Pick<Turn, "system" | "channel"> {
  return { system, channel: CHANNELS.plain };
}

function alone(system: SystemName): Variant {
  return `${system}, one node`;
}

function levelRows(samples: Sample<FanOutResult>[], level: number): Row[] {
  const of = (variant: Variant) =>
    resultsOf(samples, variant).filter((result) => result.level === level);
  const rates = (variant: Variant) => of(variant).map((result) => result.deliveriesPerSecond);
  const socketIo = ratioSpread(rates("aldis"), rates("socket.io"));
  return [
    rowOf({
      name: `${NODES} nodes over Redis, ${level} in flight: deliveries/s`,
      series: rates,
      show: showCount,
      ratios: true,
      target: level === 1 ? "" : verdict("Socket.IO", socketIo, { min: TIMES_SOCKET_IO_MIN }),
    }),
    latencyRow(of, 0.5),
    latencyRow(of, 0.99),
    rowOf({
      name: "  CPU ns per delivery, all nodes and Redis",
      series: (variant) => of(variant).map((result) => result.serverCpuNsPerDelivery),
      show: (value) => value.toFixed(0),
      ratios: true,
    }),
    busyRow(of),
    ...aloneRows(rates),
  ];
}

/** The same load on one node without Redis, in the same round. */
function aloneRows(rates: (variant: Variant) => number[]): Row[] {
  const isKnown = (variant: Variant): variant is SystemName =>
    AMONG.some((name) => name === variant);
  const onOne = (variant: Variant) => (isKnown(variant) ? rates(alone(variant)) : []);
  return [
    rowOf({
      name: "  one node without Redis: deliveries/s",
      series: onOne,
      show: showCount,
      ratios: true,
    }),
    rowOf({
      name: "  the cluster's share of that",
      series: (variant) => {
        const ratio = ratioSpread(rates(variant), onOne(variant));
        return ratio === undefined ? [] : [ratio.median];
      },
      show: threeDigits,
    }),
  ];
}

function levelsOf(samples: Sample<FanOutResult>[]): number[] {
  return [...new Set(samples.flatMap(({ results }) => results.map(({ level }) => level)))];
}
