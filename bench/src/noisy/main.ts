// What a tenant at a multiple of its quota costs the others.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cpuNs } from "../generator/proc.ts";
import { Histogram } from "../histogram.ts";
import { type Machine, openMachine, type Server, startServer } from "../servers/launch.ts";
import { ratioSpread, showSpread, spreadOf } from "../statistics.ts";
import { renderTable } from "../table.ts";
import { startWorker, type Worker } from "../worker.ts";
import { type Place, place } from "./real-time.ts";
import {
  DELAY_VARIABLE,
  NOISES,
  type Noise,
  type NoisyAnswer,
  type NoisyOrder,
  type NoisyPlan,
  QUOTA_VARIABLE,
  type VictimAnswer,
  type VictimOrder,
  type VictimPlan,
} from "./wire.ts";

const USAGE = `bun bench noisy [options]     what a tenant far over its quota costs another one
  --rounds n    default 5; in each every kind of noise has its turn, in an order that shifts
  --quota n     messages a second that each tenant may send, default 1000
  --factor n    how many times that the noisy one sends, default 10
  --ms n        each is measured for so long, default 3000
  --delay n     the gateway's tenants.refusals.delayMs, default 1000; 0: it answers every refusal at once
  --help`;

const VICTIM = { subscribers: 100, publishesPerSecond: 200, payloadBytes: 100 };
const NOISY = { connections: 64, crowd: 1_000, payloadBytes: 100 };
const SETTLE_MS = 1_000;
const LIMIT_MS = 60_000;
const TARGET = 1.2;

/** Whoever is measured comes before the noise, so that who gets the core is not what is measured. */
const PLACES = {
  server: [
    { core: 0, priority: 20 },
    { core: 1, priority: 10 },
  ],
  other: [
    { core: 0, priority: 5 },
    { core: 1, priority: 10 },
  ],
  victim: [
    { core: 1, priority: 20 },
    { core: 1, priority: 20 },
  ],
  noisy: [
    { core: 1, priority: 5 },
    { core: 1, priority: 5 },
  ],
} as const satisfies Record<string, readonly [Place, Place]>;

type Options = { rounds: number; quota: number; factor: number; ms: number; delay: number };
type Figure = { p50: number; p99: number; cpuShare: number; noisy: NoisyAnswer };
type Sides = {
  server: Server;
  other: Server;
  victim: Worker<VictimOrder, VictimAnswer>;
  noisy: Worker<NoisyOrder, NoisyAnswer>;
};

/** `bun bench noisy`. Returns the exit code: 1 when something was lost. */
export async function noisyMain(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    console.log(USAGE);
    return args.includes("--help") ? 0 : 2;
  }
  const machine = await openMachine();
  try {
    const rounds: Record<Noise, Figure>[] = [];
    for (let round = 0; round < options.rounds; round++) {
      console.error(`round ${round + 1}/${options.rounds}`);
      rounds.push(await runRound(machine, options, round));
    }
    console.log(renderTable(tableOf(rounds)));
    console.log(`Target: p99 less than ${TARGET} times that of the tenant alone.`);
    return 0;
  } finally {
    machine.dispose();
  }
}

function readOptions(args: string[]): Options | undefined {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: "string", default: "5" },
      quota: { type: "string", default: "1000" },
      factor: { type: "string", default: "10" },
      ms: { type: "string", default: "3000" },
      delay: { type: "string", default: "1000" },
      help: { type: "boolean", default: false },
    },
  });
  const given = [values.rounds, values.quota, values.factor, values.ms].map(Number);
  const [rounds, quota, factor, ms] = given as [number, number, number, number];
  const delay = Number(values.delay);
  const isFine = [rounds, quota, factor, ms].every((value) => value >= 1);
  return values.help || !isFine ? undefined : { rounds, quota, factor, ms, delay };
}

async function runRound(
  machine: Machine,
  options: Options,
  round: number,
): Promise<Record<Noise, Figure>> {
  const variables = {
    [QUOTA_VARIABLE]: String(options.quota),
    [DELAY_VARIABLE]: String(options.delay),
  };
  const server = await startServer(machine, "noisy", variables);
  const other = await startServer(machine, "noisy", variables);
  const { port } = server;
  const victim = start<VictimOrder, VictimAnswer>(machine, "victim.ts", { port, ...VICTIM });
  const noisy = start<NoisyOrder, NoisyAnswer>(machine, "noisy.ts", {
    ...{ port, otherPort: other.port },
    ...NOISY,
  });
  try {
    await Bun.sleep(2 * SETTLE_MS);
    const sides = { server, other, victim, noisy };
    // Unmeasured: code that has not run before is compiled meanwhile.
    for (const noise of NOISES) await measure(sides, noise, options);
    const figures = {} as Record<Noise, Figure>;
    for (let turn = 0; turn < NOISES.length; turn++) {
      const noise = NOISES[(turn + round) % NOISES.length] ?? "alone";
      figures[noise] = await measure(sides, noise, options);
    }
    return figures;
  } finally {
    victim.stop();
    noisy.stop();
    await server.stop();
    await other.stop();
  }
}

/** Before each measurement, as threads come and go. */
function placeAll(sides: Sides): void {
  const all = (["server", "other", "victim", "noisy"] as const).map((name) => {
    const [main, rest] = PLACES[name];
    return place(sides[name].pid, main, rest);
  });
  if (all.includes(false))
    console.error("NOT AT REAL-TIME PRIORITY: who else runs is measured too");
}

function start<Order, Answer>(
  machine: Machine,
  file: string,
  plan: VictimPlan | NoisyPlan,
): Worker<Order, Answer> {
  return startWorker<Order, Answer>(machine, join(import.meta.dir, file), plan);
}

async function measure(
  sides: Sides,
  noise: Noise,
  { quota, factor, ms }: Options,
): Promise<Figure> {
  const { server, victim, noisy } = sides;
  placeAll(sides);
  const perSecond =
    noise === "alone" ? 0 : noise.startsWith("at-quota") ? quota * 0.9 : quota * factor;
  await noisy.ask({ noise, perSecond }, LIMIT_MS);
  await Bun.sleep(SETTLE_MS);
  await noisy.ask({ noise, perSecond }, LIMIT_MS);
  const before = cpuNs(server.pid);
  const startedAtMs = performance.now();
  const { latency, delivered, expected } = await victim.ask({ measureMs: ms }, LIMIT_MS);
  const cpuShare = (cpuNs(server.pid) - before) / 1e6 / (performance.now() - startedAtMs);
  const told = await noisy.ask({ noise: "alone", perSecond: 0 }, LIMIT_MS);
  if (delivered !== expected) throw new Error(`${noise}: ${delivered} of ${expected} came`);
  const all = new Histogram().merge(latency);
  return { p50: all.percentile(0.5), p99: all.percentile(0.99), cpuShare, noisy: told };
}

function tableOf(rounds: readonly Record<Noise, Figure>[]): string[][] {
  const head = [
    "the noisy tenant",
    "p50 ms",
    "p99 ms",
    "p99 of alone",
    "CPU of the gateway",
    "accepted a round",
    "refused",
    "closed",
  ];
  const of = (noise: Noise, get: (figure: Figure) => number) =>
    rounds.map((round) => get(round[noise]));
  const ms = (value: number) => value.toFixed(2);
  const rows = NOISES.map((noise) => [
    noise,
    showSpread(spreadOf(of(noise, ({ p50 }) => p50)), ms),
    showSpread(spreadOf(of(noise, ({ p99 }) => p99)), ms),
    showSpread(
      ratioSpread(
        of(noise, ({ p99 }) => p99),
        of("alone", ({ p99 }) => p99),
      ),
      ms,
    ),
    showSpread(
      spreadOf(of(noise, ({ cpuShare }) => cpuShare * 100)),
      (value) => `${value.toFixed(0)} %`,
    ),
    ...(["accepted", "refused", "closed"] as const).map((name) =>
      String(spreadOf(of(noise, ({ noisy }) => noisy[name]))?.median ?? ""),
    ),
  ]);
  return [head, ...rows];
}
