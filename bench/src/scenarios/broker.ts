import { costRows, type Row, resultsOf, rowOf } from "../rows.ts";
import { CHANNELS, type Sample, type Scenario, type Variant } from "../scenario.ts";
import { missingRedis } from "../servers/redis.ts";
import { showCount, spreadOf } from "../statistics.ts";
import { type HttpJob, type HttpResult, httpFaults, httpPlan } from "./http-publish.ts";

/**
 * What a publish costs the Redis of a cluster: backends publish over HTTP at all nodes, to a channel that nobody, or one
 * connection at each node, is subscribed to. How many publishes a second one Redis can take follows from its CPU time alone.
 */
const NODES = 3;
const WAYS = [
  { name: "nobody listens", channel: CHANNELS.plain, listeners: 0 },
  { name: "all nodes listen", channel: CHANNELS.plain, listeners: NODES },
  { name: "all nodes listen, history", channel: CHANNELS.history, listeners: NODES },
] as const;

type Way = (typeof WAYS)[number];

export const broker: Scenario<HttpJob, HttpResult> = {
  turns: (systems) =>
    systems.includes("aldis") && missingRedis() === undefined
      ? WAYS.map((way) => ({
          variant: variantOf(way),
          system: "aldis",
          channel: way.channel,
          nodes: NODES,
        }))
      : [],
  plan: (turn, options) => ({
    ...httpPlan(turn, options),
    nodes: turn.nodes,
    listeners: WAYS.find((way) => variantOf(way) === turn.variant)?.listeners ?? 0,
  }),
  rows: (samples) => WAYS.flatMap((way) => rowsOf(samples, way)),
  faults: httpFaults,
};

function variantOf({ name }: Way): Variant {
  return `aldis, ${name}`;
}

function rowsOf(samples: Sample<HttpResult>[], way: Way): Row[] {
  const of = (variant: Variant) => (variant === "aldis" ? resultsOf(samples, variantOf(way)) : []);
  const redisUs = (variant: Variant) => of(variant).map((result) => result.redisCpuUsPerPublish);
  return [
    rowOf({
      name: `publishes/s over Redis, ${NODES} nodes, ${way.name}`,
      series: (variant) => of(variant).map((result) => result.publishesPerSecond),
      show: showCount,
    }),
    ...costRows(of, {
      name: "µs per publish, all nodes and Redis",
      of: (result) => result.serverCpuUsPerPublish,
      digits: 1,
    }),
    rowOf({
      name: "  Redis' CPU µs per publish",
      series: redisUs,
      show: (value) => value.toFixed(1),
    }),
    rowOf({
      name: "  so a core of Redis does publishes/s",
      series(variant) {
        const spread = spreadOf(redisUs(variant));
        return spread === undefined ? [] : [1e6 / spread.median];
      },
      show: showCount,
    }),
  ];
}
