import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startRedis } from "@aldis/testkit";
import { missingRedis } from "../servers/redis.ts";
import { renderTable } from "../table.ts";
import { type JobFigures, measureJobs } from "./measure.ts";

const USAGE = `bun bench jobs [options]     what background work costs that does nothing: handed out by a store, and by a Redis of the bench's own
  --url u        store.url; default: a SQLite file of its own, removed afterwards
  --keys n       so many are asked for, default 4000
  --help`;

/** `bun bench jobs`. Returns the exit code. */
export async function jobsMain(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: "string" },
      keys: { type: "string", default: "4000" },
      help: { type: "boolean", default: false },
    },
  });
  const keys = Number(values.keys);
  if (values.help || !(keys >= 1)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "aldis-bench-"));
  const store = (name: string) => ({ url: values.url ?? `sqlite:${join(folder, name)}` });
  try {
    const rows = [rowOf("by the store", await measureJobs({ store: store("jobs.db") }, keys))];
    const missing = missingRedis();
    if (missing === undefined) {
      await using redis = await startRedis();
      const place = { store: store("beside.db"), broker: redis.url };
      rows.push(rowOf("by Redis (BullMQ)", await measureJobs(place, keys)));
    } else console.log(`${missing}: the row of Redis is left out`);
    const head = ["", "wakes a second", "turns a second, of a backlog", "both at once"];
    console.log(renderTable([head, ...rows]));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

function rowOf(what: string, { wakes, turns, both }: JobFigures): string[] {
  return [what, ...[wakes, turns, both].map((figure) => figure.toFixed(0))];
}
