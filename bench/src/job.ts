/** What main hands to the load generator's process: plain JSON. Each scenario adds its own. */
export const SYSTEMS = ["aldis", "bun", "ws", "socket.io"] as const;
export type SystemName = (typeof SYSTEMS)[number];

export type JobBase = {
  scenario: string;
  system: SystemName;
  port: number;
  /** The server's process: its CPU time and memory are read from /proc. */
  serverPid: number;
};

/** Of jobs that run for a time. */
export type Timing = {
  warmUpMs: number;
  measureMs: number;
  /** How often a measurement is tried when other processes take the cores. */
  attemptsMax: number;
};
