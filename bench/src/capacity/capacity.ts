import type { Figures } from "./figures.ts";

/** What is asked of a cluster. */
export type Load = {
  name: string;
  connections: number;
  /** Connections that a publication reaches. */
  subscribers: number;
  publishesPerSecond: number;
  /** Joins and leaves that are told to the others in their channel. */
  changesPerSecond: number;
  /** How soon everybody must be let in again after all were cut at once. */
  backInS: number;
};

/** What it takes. */
export type Need = {
  nodes: number;
  /** What asks for so many. */
  because: keyof Asks;
  asks: Asks;
  /** Gateways that have a subscriber of a publication. */
  nodesHearing: number;
  deliveriesPerSecond: number;
  shards: number;
  shardsBecause: keyof ShardAsks;
  nodeBytes: number;
  redisBytes: number;
  clientBitsPerSecond: number;
  redisBitsPerSecond: number;
  registryBitsPerSecond: number;
};

/** Gateways, by what may ask for them. */
export type Asks = { processor: number; storm: number; connections: number };
export type ShardAsks = { processor: number; network: number; storm: number };

/** How full a core may be in ordinary times, and while everybody comes back. */
export const BUSY_MAX = 0.6;
export const STORM_BUSY_MAX = 0.8;
/** `limits.connectionsPerNode` as it ships. */
export const CONNECTIONS_MAX = 50_000;
/** What one Redis sends at most: most of a 10 Gbit/s network card. */
export const SHARD_BITS_MAX = 8e9;
/** `cluster.heartbeatMs` as it ships, in seconds. */
const HEARTBEAT_S = 1;
const US = 1e6;

/** Of `nodes`, how many have at least one of `subscribers` who are spread at random. */
export function nodesWith(subscribers: number, nodes: number): number {
  return nodes * (1 - (1 - 1 / nodes) ** subscribers);
}

/** The least cluster that can do it: more nodes hear more, so their number is tried from one up. */
export function needOf(load: Load, figures: Figures): Need {
  let nodes = 1;
  for (;;) {
    const asks = asksOf(load, figures, nodes);
    const asked = Math.ceil(Math.max(...Object.values(asks)));
    if (asked <= nodes) return needWith(load, figures, { nodes, asks });
    nodes = asked;
  }
}

function asksOf(load: Load, figures: Figures, nodes: number): Asks {
  const { connections, publishesPerSecond, changesPerSecond, subscribers } = load;
  const hearing = nodesWith(subscribers, nodes);
  const usPerSecond =
    pushesPerSecond(load) * figures.deliveryUs +
    publishesPerSecond * figures.publishNodeUs +
    (publishesPerSecond + changesPerSecond) * hearing * figures.hearNodeUs +
    connections * figures.idleNodeUs;
  return {
    processor: usPerSecond / US / BUSY_MAX,
    storm: (connections * figures.connectNodeUs) / US / load.backInS / STORM_BUSY_MAX,
    connections: connections / CONNECTIONS_MAX,
  };
}

/** Messages, and joins and leaves that others are told. */
function pushesPerSecond({ publishesPerSecond, changesPerSecond, subscribers }: Load): number {
  return (publishesPerSecond + changesPerSecond) * subscribers;
}

function needWith(
  load: Load,
  figures: Figures,
  { nodes, asks }: Pick<Need, "nodes" | "asks">,
): Need {
  const { connections, publishesPerSecond, changesPerSecond, subscribers } = load;
  const nodesHearing = nodesWith(subscribers, nodes);
  const heardPerSecond = (publishesPerSecond + changesPerSecond) * nodesHearing;
  const redisUs =
    publishesPerSecond * figures.publishRedisUs +
    changesPerSecond * figures.connectRedisUs +
    heardPerSecond * figures.hearRedisUs;
  const redisBitsPerSecond = heardPerSecond * figures.heardBytes * 8;
  const shardAsks: ShardAsks = {
    processor: redisUs / US / BUSY_MAX,
    network: redisBitsPerSecond / SHARD_BITS_MAX,
    storm: (connections * figures.connectRedisUs) / US / load.backInS / STORM_BUSY_MAX,
  };
  const perConnection = figures.nodeBytesPerConnection + figures.kernelBytesPerConnection;
  return {
    nodes,
    because: greatest(asks),
    asks,
    nodesHearing,
    deliveriesPerSecond: pushesPerSecond(load),
    shards: Math.ceil(Math.max(...Object.values(shardAsks))),
    shardsBecause: greatest(shardAsks),
    nodeBytes: (connections / nodes) * perConnection,
    redisBytes: connections * figures.redisBytesPerConnection,
    clientBitsPerSecond: pushesPerSecond(load) * figures.deliveryBytes * 8,
    redisBitsPerSecond,
    registryBitsPerSecond: (nodes ** 2 * figures.recordBytes * 8) / HEARTBEAT_S,
  };
}

function greatest<Name extends string>(asks: Record<Name, number>): Name {
  const names = Object.keys(asks) as Name[];
  return names.reduce((most, name) => (asks[name] > asks[most] ? name : most));
}
