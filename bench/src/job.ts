/** What main hands to the load generator's process: plain JSON. Each scenario adds its own. */
export const SYSTEMS = ["aldis", "bun", "ws", "socket.io"] as const;
export type SystemName = (typeof SYSTEMS)[number];

/** Of a job for a cluster: the nodes besides the first one, and what connects them. */
export type Peers = { ports: number[]; pids: number[]; redisPid: number };

export type JobBase = {
  scenario: string;
  system: SystemName;
  port: number;
  /** The server's process: its CPU time and memory are read from /proc. */
  serverPid: number;
  peers?: Peers;
};

/** Of jobs that run for a time. */
export type Timing = {
  warmUpMs: number;
  measureMs: number;
  /** How often a measurement is tried when other processes take the cores. */
  attemptsMax: number;
};

/** Where connection `index` goes: to the nodes in turn, but so that each hundredth is not always at the same one. */
export function portOf({ port, peers }: JobBase, index: number): number {
  const ports = [port, ...(peers?.ports ?? [])];
  return ports[(index + Math.floor(index / 100)) % ports.length] ?? port;
}
