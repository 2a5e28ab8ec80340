import type { Load } from "./generator/load.ts";
import type { HistogramDump } from "./histogram.ts";

/** What main hands to the load generator's process, and what comes back: plain JSON both ways. */
export const SYSTEMS = ["aldis", "bun", "ws", "socket.io"] as const;
export type SystemName = (typeof SYSTEMS)[number];

type JobBase = {
  system: SystemName;
  port: number;
  /** The server's process: its CPU time and memory are read from /proc. */
  serverPid: number;
};

export type FanOutJob = JobBase & {
  scenario: "fanout";
  channel: string;
  subscribers: number;
  /** Publishes in flight, one run for each. */
  levels: number[];
  payloadBytes: number;
  warmUpMs: number;
  measureMs: number;
  /** How often a level is tried when other processes take the cores. */
  attemptsMax: number;
};

export type ConnectJob = JobBase & {
  scenario: "connect";
  connections: number;
  window: number;
};

export type MemoryJob = JobBase & {
  scenario: "memory";
  connections: number;
  channels: number;
  window: number;
  settleMaxMs: number;
};

export type Job = FanOutJob | ConnectJob | MemoryJob;

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

export type ConnectResult = Load & {
  scenario: "connect";
  connections: number;
  connectionsPerSecond: number;
  serverCpuUsPerConnection: number;
  latency: HistogramDump;
};

export type MemoryResult = {
  scenario: "memory";
  connections: number;
  /** Growth from the fresh server to all connections idle, per connection. */
  bytesPerConnection: number;
  /** Growth from the first third to all, per connection: without what a process grows by anyhow. */
  marginalBytesPerConnection: number;
  rssBeforeBytes: number;
  rssAfterBytes: number;
};

export type JobResult = FanOutResult | ConnectResult | MemoryResult;

/** Every subscriber got every publish, once, in order. */
export function isExact(result: FanOutResult): boolean {
  const { published, deliveredMin, deliveredMax, disordered } = result;
  return deliveredMin === published && deliveredMax === published && disordered === 0;
}
