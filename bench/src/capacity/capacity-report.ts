import { showCount, threeDigits } from "../statistics.ts";
import { renderTable } from "../table.ts";
import { type Load, type Need, needOf } from "./capacity.ts";
import type { Figures } from "./figures.ts";

/** Three uses that ask for different things, for a number of connections. */
export function exampleLoads(connections: number): Load[] {
  const of = { connections, backInS: 60 };
  return [
    {
      ...of,
      name: "notifications",
      subscribers: 1,
      publishesPerSecond: connections / 600,
      changesPerSecond: 0,
    },
    {
      ...of,
      name: "rooms of 100",
      subscribers: 100,
      publishesPerSecond: connections / 120,
      changesPerSecond: connections / 900,
    },
    {
      ...of,
      name: "one event",
      subscribers: connections,
      publishesPerSecond: 2,
      changesPerSecond: 0,
    },
  ];
}

/** A column for each load. */
export function capacityRows(loads: readonly Load[], figures: Figures): string[][] {
  const needs = loads.map((load) => needOf(load, figures));
  const row = (name: string, show: (need: Need) => string) => [name, ...needs.map(show)];
  const ofLoad = (name: string, show: (load: Load) => string) => [name, ...loads.map(show)];
  return [
    ["", ...loads.map(({ name }) => name)],
    ofLoad("connections", ({ connections }) => showCount(connections)),
    ofLoad("subscribers of a publication", ({ subscribers }) => showCount(subscribers)),
    ofLoad("publications/s", ({ publishesPerSecond }) => showCount(publishesPerSecond)),
    ofLoad("joins and leaves told/s", ({ changesPerSecond }) => showCount(changesPerSecond)),
    row("messages to clients/s", ({ deliveriesPerSecond }) => showCount(deliveriesPerSecond)),
    row("gateways (a core each)", ({ nodes }) => String(nodes)),
    row("  because of", ({ because }) => NODE_CAUSES[because]),
    row("  for the messages", ({ asks }) => Math.ceil(asks.processor).toString()),
    row("  for everybody back in a minute", ({ asks }) => Math.ceil(asks.storm).toString()),
    row("  memory of one, GB", ({ nodeBytes }) => threeDigits(nodeBytes / 1e9)),
    row("gateways that hear a publication", ({ nodesHearing }) => threeDigits(nodesHearing)),
    row("Redis shards (a core each)", ({ shards }) => String(shards)),
    row("  because of", ({ shardsBecause }) => SHARD_CAUSES[shardsBecause]),
    row("  memory of all, GB", ({ redisBytes }) => threeDigits(redisBytes / 1e9)),
    row("to clients, Gbit/s", (need) => threeDigits(need.clientBitsPerSecond / 1e9)),
    row("from Redis to gateways, Gbit/s", (need) => threeDigits(need.redisBitsPerSecond / 1e9)),
    row("  of the first shard, for the list of nodes", (need) =>
      threeDigits(need.registryBitsPerSecond / 1e9),
    ),
  ];
}

export function capacityTable(loads: readonly Load[], figures: Figures): string {
  return renderTable(capacityRows(loads, figures));
}

/** The figures themselves, with the names that the formulas give them. */
export function figureRows(of: Figures): string[][] {
  const kb = (bytes: number) => `${threeDigits(bytes / 1000)} kB`;
  const us = (micros: number) => `${threeDigits(micros)} µs`;
  return [
    ["one of these", "costs", "as measured by"],
    ["a connection: memory of its gateway", `m = ${kb(of.nodeBytesPerConnection)}`, "scale"],
    ["its socket: memory of the kernel", `m′ = ${kb(of.kernelBytesPerConnection)}`, "scale"],
    [
      "its presence and session: memory of Redis",
      `mr = ${kb(of.redisBytesPerConnection)}`,
      "scale",
    ],
    [
      "letting it in, with its subscription and presence",
      `c = ${us(of.connectNodeUs)}`,
      "scale, alone",
    ],
    ["the same, or a join or leave, Redis", `cr = ${us(of.connectRedisUs)}`, "scale, alone"],
    ["a second in which it does nothing", `i = ${us(of.idleNodeUs)}`, "scale"],
    [
      "a message to a client, alone in its moment",
      `d = ${us(of.deliveryUs)}`,
      "cluster, 1 in flight",
    ],
    ["a publication by HTTP, the gateway that takes it", `p = ${us(of.publishNodeUs)}`, "broker"],
    ["the same, each gateway that hears of it", `h = ${us(of.hearNodeUs)}`, "broker"],
    ["a publication with history, Redis", `pr = ${us(of.publishRedisUs)}`, "broker"],
    ["the same, for each gateway that hears of it", `hr = ${us(of.hearRedisUs)}`, "broker"],
    ["a publication on its way to a gateway", `b = ${of.heardBytes} bytes`, "scale"],
    [
      "a message on its way to a client",
      `b′ = ${of.deliveryBytes} bytes`,
      "cluster, and 52 of TCP/IP",
    ],
    ["what gateways read of each other, a second", `n = ${of.recordBytes} bytes`, "scale, idle"],
  ];
}

const NODE_CAUSES: Record<Need["because"], string> = {
  processor: "messages",
  storm: "everybody back",
  connections: "connections of a node",
};

const SHARD_CAUSES: Record<Need["shardsBecause"], string> = {
  processor: "CPU",
  network: "network",
  storm: "everybody back",
};
