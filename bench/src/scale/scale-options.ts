import { parseArgs } from "node:util";

export type ScaleOptions = {
  connections: number;
  nodes: number;
  rooms: number;
  halls: number;
  /** Of each kind of delay. */
  samples: number;
  /** Connections on their way at once, over all processes. */
  window: number;
  /** Quiet time in which the cost of doing nothing is measured: as long as it takes for everybody to be pinged once. */
  idleMs: number;
  /** How long memory may take to settle. */
  settleMaxMs: number;
  /** `memory`: nodes that know nothing of each other; a run without Redis, to compare with. */
  broker: "redis" | "memory";
  json: string | undefined;
};

export const SCALE_USAGE = `bun bench scale [options]
  --connections n  default 100000
  --nodes n        gateway processes, default 6
  --rooms n        channels that each connection is in one of, default a hundredth of the connections
  --samples n      of each delay, default 600
  --window n       connections on their way at once, default 384
  --broker b       redis (default), or memory: nodes that know nothing of each other
  --json file      write all figures to a file
  --help`;

const HALLS = 4;
const MEMBERS_OF_A_ROOM = 100;

/** Throws an Error with a readable message for arguments that make no sense. */
export function parseScaleOptions(args: string[]): ScaleOptions | "help" {
  const { values } = parseArgs({
    args,
    options: {
      connections: { type: "string", default: "100000" },
      nodes: { type: "string", default: "6" },
      rooms: { type: "string" },
      samples: { type: "string", default: "600" },
      window: { type: "string", default: "384" },
      broker: { type: "string", default: "redis" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const { broker } = values;
  if (broker !== "redis" && broker !== "memory") {
    throw new Error(`--broker ${broker}: redis or memory`);
  }
  const connections = count("connections", values.connections);
  const rooms = values.rooms ?? String(Math.ceil(connections / MEMBERS_OF_A_ROOM));
  return {
    connections,
    nodes: count("nodes", values.nodes),
    rooms: count("rooms", rooms),
    halls: HALLS,
    samples: count("samples", values.samples),
    window: count("window", values.window),
    idleMs: 26_000,
    settleMaxMs: 20_000,
    broker,
    json: values.json,
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`--${name} ${text}: a whole number from 1 up`);
  }
  return value;
}
