import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openMachine, startServer } from "../servers/launch.ts";
import { renderTable } from "../table.ts";
import { callGateway, type Figures, measure, startSink } from "./measure.ts";

const USAGE = `bun bench webhooks [options]     what webhooks cost who publishes, and how fast events reach one endpoint
  --url u     store.url; default: a SQLite file of its own, removed afterwards
  --ms n      each figure is measured for so long, default 5000
  --help`;

const IN_FLIGHT = [1, 8, 64];

/** `bun bench webhooks`. Returns the exit code. */
export async function webhooksMain(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      url: { type: "string" },
      ms: { type: "string", default: "5000" },
      help: { type: "boolean", default: false },
    },
  });
  const measureMs = Number(values.ms);
  if (values.help || !(measureMs > 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "aldis-bench-"));
  const machine = await openMachine();
  const sink = startSink();
  try {
    const store = values.url ?? `sqlite:${join(folder, "bench.db")}`;
    const server = await startServer(machine, "webhooks", { BENCH_STORE_URL: store });
    const url = `http://127.0.0.1:${server.port}`;
    const without: Figures[] = [];
    for (const inFlight of IN_FLIGHT) {
      without.push(await measure(url, { inFlight, measureMs, sink: undefined }));
    }
    await callGateway(url, "/api/webhooks", { url: sink.url, types: ["message.published"] });
    const figures: Figures[] = [];
    for (const inFlight of IN_FLIGHT) {
      figures.push(await measure(url, { inFlight, measureMs, sink }));
    }
    await server.stop();
    console.log(tableOf([...without, ...figures]));
  } finally {
    await sink.stop();
    machine.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
  return 0;
}

function tableOf(figures: readonly Figures[]): string {
  const show = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? "–";
  const rows = figures.map((each) => [
    `${each.deliveredPerSecond === undefined ? "no endpoint" : "an endpoint"}, ${each.inFlight} in flight`,
    show(each.publishesPerSecond, 0),
    show(each.p50Ms, 2),
    show(each.p99Ms, 2),
    show(each.deliveredPerSecond, 0),
    show(each.restMs, 0),
    show(each.arrivalP50Ms, 1),
    show(each.arrivalP99Ms, 1),
  ]);
  const head = [
    "",
    "publishes/s",
    "p50 ms",
    "p99 ms",
    "delivered/s",
    "rest ms",
    "there p50",
    "p99",
  ];
  return renderTable([head, ...rows]);
}
