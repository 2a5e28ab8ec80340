// What the bench of a noisy neighbour and its two load processes say to each other.
import type { HistogramDump } from "../histogram.ts";

/** How the noisy tenant sends. `at-quota` is by WebSocket, and no more than it may. */
export const NOISES = ["alone", "at-quota", "websocket", "http"] as const;
export type Noise = (typeof NOISES)[number];

export type VictimPlan = {
  port: number;
  subscribers: number;
  publishesPerSecond: number;
  payloadBytes: number;
};
export type VictimOrder = { measureMs: number };
export type VictimAnswer = {
  latency: HistogramDump;
  published: number;
  delivered: number;
  expected: number;
};

export type NoisyPlan = { port: number; connections: number; payloadBytes: number };
export type NoisyOrder = { noise: Noise; perSecond: number };
/** Since the order before. */
export type NoisyAnswer = { sent: number; refused: number; accepted: number; closed: number };

export const QUOTA_VARIABLE = "BENCH_MESSAGES_PER_SECOND";
