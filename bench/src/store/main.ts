import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { renderTable } from "../table.ts";
import { type Figure, measureAppends, measureReads } from "./measure.ts";
import { openRecords } from "./open-records.ts";

const USAGE = `bun bench store [options]     what a store does alone, without clients: in this process, which is to be pinned (taskset -c 0)
  --url u        store.url; default: a SQLite file of its own, removed afterwards
  --records n    so many in the log that is read, default 100000
  --ms n         each figure is measured for so long, default 3000
  --help`;

/** Appends that are acknowledged one, eight, … at a time. */
const IN_FLIGHT = [1, 8, 64, 256, 1_024];

/** `bun bench store`. Returns the exit code. */
export async function storeMain(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: "string" },
      records: { type: "string", default: "100000" },
      ms: { type: "string", default: "3000" },
      help: { type: "boolean", default: false },
    },
  });
  const [records, measureMs] = [Number(values.records), Number(values.ms)];
  if (values.help || !(records >= 100) || !(measureMs > 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "aldis-bench-"));
  const opened = await openRecords(values.url ?? `sqlite:${join(folder, "bench.db")}`);
  try {
    const figures: Figure[] = [];
    for (const inFlight of IN_FLIGHT) {
      figures.push(await measureAppends(opened.messages, { inFlight, measureMs }));
    }
    figures.push(...(await measureReads(opened.messages, { records, measureMs })));
    console.log(tableOf(figures));
  } finally {
    await opened.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, perSecond, p50Ms, p99Ms, cpuUs }) => [
    what,
    perSecond.toFixed(0),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    cpuUs.toFixed(0),
  ]);
  return renderTable([["", "a second", "p50 ms", "p99 ms", "CPU µs each"], ...rows]);
}
