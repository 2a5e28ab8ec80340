import { mergedOf } from "../rows.ts";
import { showCount, threeDigits } from "../statistics.ts";
import { renderTable } from "../table.ts";
import type { Memory } from "./city.ts";
import type { Arrivals, ScaleResult, Use } from "./run-scale.ts";
import type { ProbeKind } from "./wire.ts";

/** The figures of a scale run as one table: a measure, its value, and where there is one its target. */
const PRESENCE_MAX_MS = 100;
const NEWS_MAX_MS = 50;
const KB = 1000;

type Row = [measure: string, value: string, target: string];

export function scaleReport(result: ScaleResult): string {
  const rows: Row[] = [
    ["", "value", "target"],
    ...memoryRows(result),
    ...connectRows(result),
    ...idleRows(result),
    ...delayRows(result),
    ...redisRows(result),
    ...stormRows(result),
  ];
  return renderTable(rows);
}

function memoryRows({ memory, rest, firstThird }: ScaleResult): Row[] {
  const { before, atThird, open, after } = memory;
  const all = firstThird.arrived + rest.arrived;
  const per = (of: (memory: Memory) => number) =>
    `${kilobytes((of(open) - of(before)) / all)} (${kilobytes((of(open) - of(atThird)) / rest.arrived)} for one more)`;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return [
    ["connections", String(open.connections), ""],
    ["gateways: resident memory per connection, kB", per((at) => at.nodesRssBytes), ""],
    ["gateways: heap per connection, kB", per((at) => at.nodesHeapBytes), ""],
    ["gateways: resident memory together", megabytes(open.nodesRssBytes), ""],
    ["  after the storm", megabytes(after.nodesRssBytes), ""],
    ["kernel: memory per connection and end, kB", per((at) => at.kernelBytes / 2), ""],
    ["Redis: memory per connection, kB", per((at) => at.redisUsedBytes), ""],
    ["Redis: resident memory", megabytes(open.redisRssBytes), ""],
  ];
}

function connectRows({ rest }: ScaleResult): Row[] {
  return [
    ["connections/s, subscriptions and presence included", rate(rest), ""],
    ...arrivalRows(rest),
  ];
}

function arrivalRows(arrivals: Arrivals): Row[] {
  const { use, arrived, delay, refusals } = arrivals;
  const bytes = [use.redisInBytes, use.redisOutBytes].map((total) => (total / arrived).toFixed(0));
  const histogram = mergedOf([delay]);
  return [
    ["  p50 ms", threeDigits(histogram.percentile(0.5)), ""],
    ["  p99 ms", threeDigits(histogram.percentile(0.99)), ""],
    ["  attempts refused or lost, and repeated", String(refusals), ""],
    ["  gateways' CPU µs each", micros(use.nodesNs / arrived), ""],
    ["  Redis' CPU µs each", micros(use.redisNs / arrived), ""],
    ["  Redis commands each", threeDigits(use.redisCommands / arrived), ""],
    ["  Redis bytes in, out each", bytes.join(", "), ""],
    ["  gateways' and Redis' core busy %", busy(use, use.nodesNs + use.redisNs), ""],
    ["  the clients' core busy %", busy(use, use.crowdsNs), ""],
  ];
}

function idleRows({ idle }: ScaleResult): Row[] {
  const seconds = idle.elapsedMs / 1000;
  return [
    ["idle: gateways' CPU, % of a core, all together", busy(idle, idle.nodesNs), ""],
    ["idle: Redis' CPU, % of a core", busy(idle, idle.redisNs), ""],
    ["idle: Redis commands/s", showCount(idle.redisCommands / seconds), ""],
    ["idle: Redis kB/s in", threeDigits(idle.redisInBytes / seconds / KB), ""],
    ["idle: Redis kB/s out", threeDigits(idle.redisOutBytes / seconds / KB), ""],
  ];
}

const NAMES: Record<ProbeKind, string> = {
  join: "presence, a join",
  leave: "presence, a leave",
  send: "notification to a user (HTTP send)",
  publish: "publication (HTTP) in a room",
};

function delayRows({ delays, options }: ScaleResult): Row[] {
  const where = options.broker === "redis" ? "to another node" : "on one node";
  return (Object.keys(NAMES) as ProbeKind[]).flatMap((kind) => {
    const presence = kind === "join" || kind === "leave";
    const max = presence ? PRESENCE_MAX_MS : NEWS_MAX_MS;
    return delayRow(`${NAMES[kind]}, ${where}: ms`, delays[kind], max);
  });
}

/** What one of each costs Redis, beyond what it does anyway; a room has members at every node. */
function redisRows({ probed, delays, idle }: ScaleResult): Row[] {
  const kinds = [
    ["a join or leave", probed.presence, [delays.join, delays.leave]],
    ["a direct message", probed.send, [delays.send]],
    ["a publication", probed.publish, [delays.publish]],
  ] as const;
  return kinds.flatMap(([name, use, dumps]): Row[] => {
    const count = mergedOf(dumps.map((dump) => dump ?? [])).total;
    if (count === 0 || use.redisInBytes === 0) return [];
    const beyondIdle = (of: (use: Use) => number) =>
      (of(use) - (of(idle) / idle.elapsedMs) * use.elapsedMs) / count;
    const out = beyondIdle(({ redisOutBytes }) => redisOutBytes);
    const into = beyondIdle(({ redisInBytes }) => redisInBytes);
    const commands = beyondIdle(({ redisCommands }) => redisCommands);
    const us = beyondIdle(({ redisNs }) => redisNs) / 1000;
    const value = `${into.toFixed(0)}, ${out.toFixed(0)}, ${commands.toFixed(1)}, ${us.toFixed(0)}`;
    return [[`Redis, for ${name}: bytes in, bytes out, commands, CPU µs`, value, ""]];
  });
}

function delayRow(name: string, dump: ScaleResult["delays"][ProbeKind], maxMs?: number): Row[] {
  if (dump === undefined) return [];
  const delay = mergedOf([dump]);
  const p99 = delay.percentile(0.99);
  const value = `p50 ${threeDigits(delay.percentile(0.5))}, p99 ${threeDigits(p99)} (${delay.total})`;
  const target = maxMs === undefined ? "" : `p99 < ${maxMs}: ${p99 < maxMs ? "met" : "NOT MET"}`;
  return [[name, value, target]];
}

function stormRows({ storm, options }: ScaleResult): Row[] {
  const { arrived, elapsedMs, resumed, recoveredChannels, channels, stayers } = storm;
  const moved = options.broker === "redis" ? "each to another node" : "each to its node";
  return [
    [
      `storm: ${arrived} cut at once, ${moved}; all back after s`,
      threeDigits(elapsedMs / 1000),
      "",
    ],
    ["  back/s", rate(storm), ""],
    ["  sessions resumed", share(resumed, arrived), ""],
    ["  channels recovered", share(recoveredChannels, channels), ""],
    ...arrivalRows(storm),
    ...delayRow("  who stayed: notification, ms", stayers.send),
    ...delayRow("  who stayed: publication, ms", stayers.publish),
  ];
}

function rate({ arrived, elapsedMs }: Arrivals): string {
  return showCount((arrived / elapsedMs) * 1000);
}

function busy({ elapsedMs }: Use, ns: number): string {
  return threeDigits(ns / 1e4 / elapsedMs);
}

function micros(ns: number): string {
  return (ns / 1000).toFixed(0);
}

function kilobytes(bytes: number): string {
  return (bytes / KB).toFixed(2);
}

function share(part: number, whole: number): string {
  return `${part} of ${whole}`;
}
