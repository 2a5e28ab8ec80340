import { parseArgs } from "node:util";
import { openMachine, type Server, startServer } from "../servers/launch.ts";
import { renderTable } from "../table.ts";
import { type Caller, openBare, openClient, SECRET_KEY, signedRequest } from "./callers.ts";
import { type Figures, measure, type Plan } from "./measure.ts";

const USAGE = `bun bench rpc [options]     calls of a backend through the gateway, beside the same calls without it
  --ms n      each figure is measured for so long, default 5000
  --rounds n  default 3
  --help`;

const IN_FLIGHT = [1, 32];

/** `bun bench rpc`. Returns the exit code. */
export async function rpcMain(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      ms: { type: "string", default: "5000" },
      rounds: { type: "string", default: "3" },
      help: { type: "boolean", default: false },
    },
  });
  const [measureMs, rounds] = [Number(values.ms), Number(values.rounds)];
  if (values.help || !(measureMs > 0) || !(rounds > 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const machine = await openMachine();
  const started: Server[] = [];
  try {
    const secret = { BENCH_BACKEND_SECRET: `whsec_${SECRET_KEY.toString("base64")}` };
    const backend = await startServer(machine, "rpc-backend", secret, 1);
    started.push(backend);
    const url = { BENCH_BACKEND_URL: `http://127.0.0.1:${backend.port}/aldis` };
    const gateway = await startServer(machine, "rpc", { ...secret, ...url });
    started.push(gateway);
    const figures: Figures[] = [];
    for (let round = 0; round < rounds; round++) {
      figures.push(...(await runRound({ backend, gateway, measureMs })));
    }
    console.log(tableOf(figures));
  } finally {
    for (const server of started.reverse()) await server.stop();
    machine.dispose();
  }
  return 0;
}

type Round = { readonly backend: Server; readonly gateway: Server; readonly measureMs: number };

/** By turns, so that what else the machine does is everybody's. */
async function runRound({ backend, gateway, measureMs }: Round): Promise<Figures[]> {
  const figures: Figures[] = [];
  const time = { measureMs, warmUpMs: measureMs / 5 };
  const request = signedRequest(backend.port);
  for (const inFlight of IN_FLIGHT) {
    const bare: Plan = { ...time, name: "bare HTTP", gatewayPid: undefined };
    figures.push(await withCallers(inFlight, () => openBare(backend.port, request), bare));
    const through: Plan = { ...time, name: "rpc", gatewayPid: gateway.pid };
    const client = (index: number) => openClient(gateway.port, `user-${index}`);
    figures.push(await withCallers(inFlight, client, through));
  }
  return figures;
}

async function withCallers(
  count: number,
  open: (index: number) => Promise<Caller>,
  plan: Plan,
): Promise<Figures> {
  const callers = await Promise.all(Array.from({ length: count }, (_, index) => open(index)));
  try {
    return await measure(callers, plan);
  } finally {
    for (const caller of callers) caller.close();
  }
}

/** Medians over the rounds. */
function tableOf(figures: readonly Figures[]): string {
  const names = [...new Set(figures.map(({ name, inFlight }) => `${name}, ${inFlight} in flight`))];
  const rows = names.map((row) => {
    const of = figures.filter(({ name, inFlight }) => `${name}, ${inFlight} in flight` === row);
    const middle = (pick: (one: Figures) => number) => of.map(pick).sort((a, b) => a - b);
    const show = (pick: (one: Figures) => number, digits: number) =>
      (middle(pick)[Math.floor(of.length / 2)] ?? Number.NaN).toFixed(digits);
    return [
      row,
      show((one) => one.callsPerSecond, 0),
      show((one) => one.p50Ms, 2),
      show((one) => one.p99Ms, 2),
      show((one) => one.gatewayCpuUsPerCall, 0),
    ];
  });
  return renderTable([["", "calls/s", "p50 ms", "p99 ms", "gateway CPU µs"], ...rows]);
}
