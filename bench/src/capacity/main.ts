import { parseArgs } from "node:util";
import { renderTable } from "../table.ts";
import type { Load } from "./capacity.ts";
import { capacityTable, exampleLoads, figureRows } from "./capacity-report.ts";
import { MEASURED } from "./measured.ts";

const USAGE = `bun bench capacity [options]     what a load needs, computed from measured figures
  --connections n    default: the examples of docs/operate/scale.md
  --subscribers n    connections that a publication reaches, default 100
  --publishes n      publications a second, of all channels together, default a 120th of the connections
  --changes n        joins and leaves a second that others are told of, default 0
  --back n           seconds in which all must be back after a loss, default 60
  --help`;

const EXAMPLES = [1e6, 1e7];

/** `bun bench capacity`: see docs/operate/scale.md. Returns the exit code. */
export async function capacityMain(args: string[]): Promise<number> {
  try {
    const loads = readLoads(args);
    if (loads === "help") console.log(USAGE);
    else {
      console.log(`${renderTable(figureRows(MEASURED))}\n`);
      for (const group of loads) console.log(`${capacityTable(group, MEASURED)}\n`);
    }
    return 0;
  } catch (error) {
    console.log(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
}

function readLoads(args: string[]): Load[][] | "help" {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: {
      connections: text,
      subscribers: text,
      publishes: text,
      changes: text,
      back: text,
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  if (values.connections === undefined) return EXAMPLES.map(exampleLoads);
  const connections = positive("connections", values.connections);
  return [
    [
      {
        name: "this load",
        connections,
        subscribers: positive("subscribers", values.subscribers ?? "100"),
        publishesPerSecond: positive("publishes", values.publishes ?? String(connections / 120)),
        changesPerSecond: positive("changes", values.changes ?? "0"),
        backInS: positive("back", values.back ?? "60"),
      },
    ],
  ];
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new Error(`--${name} ${text}: a number`);
  return value;
}
