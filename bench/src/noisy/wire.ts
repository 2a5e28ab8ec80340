// What the bench of a noisy neighbour and its two load processes say to each other.
import type { HistogramDump } from "../histogram.ts";

/**
 * How the noisy tenant sends. `at-quota…`: no more than it may; `crowd` by many more HTTP connections. `other-…`: the same to a
 * gateway of its own on the same core, at a lower priority: what it costs that there is such traffic on the machine at all.
 */
export const NOISES = [
  "alone",
  "at-quota",
  "at-quota-http",
  "websocket",
  "http",
  "crowd",
  "other-websocket",
  "other-http",
] as const;
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

export type NoisyPlan = {
  port: number;
  otherPort: number;
  connections: number;
  crowd: number;
  payloadBytes: number;
};
export type NoisyOrder = { noise: Noise; perSecond: number };
/** Since the order before. */
export type NoisyAnswer = { sent: number; refused: number; accepted: number; closed: number };

export const QUOTA_VARIABLE = "BENCH_MESSAGES_PER_SECOND";
export const DELAY_VARIABLE = "BENCH_REFUSAL_DELAY_MS";
