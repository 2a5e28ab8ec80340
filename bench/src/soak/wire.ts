import type { Fault } from "@aldis/testkit";

/** What the three processes of a soak tell each other, over IPC. */

/** To the server: say how you are. Its answer is a {@link ServerState}. */
export type ServerOrder = { order: "state" };

export type ServerState = {
  /** After a full collection. */
  heapBytes: number;
  objects: number;
  objectsByType: Record<string, number>;
  connections: number;
  counters: Record<string, number>;
};

/** To the traffic: run one cycle. Its answer is a {@link CycleReport}; the cycle's clients stay until the next order. */
export type TrafficOrder = { order: "cycle"; cycle: number; durationMs: number; stuck: boolean };

/** What one cycle of traffic did, and what was wrong in it. */
export type CycleReport = {
  published: number;
  delivered: number;
  /** Connections that were cut, and came back. */
  cuts: number;
  /** Resumes that could recover, and that said so. */
  resumes: { possible: number; recovered: number };
  faults: Fault[];
};

/** How the traffic process is told where to go; its only argument, as JSON. */
export type TrafficPlan = { port: number; seed: number };
