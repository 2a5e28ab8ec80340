import { join } from "node:path";
import { leastDisturbed } from "./generator/load.ts";
import { openFilesMax } from "./generator/proc.ts";
import type { Job, JobResult, SystemName } from "./job.ts";
import type { Options, ScenarioName } from "./options.ts";
import { type Machine, pinned, startServer } from "./servers/launch.ts";

/**
 * Runs the scenarios in rounds. Within a round every system has its turn with a fresh server process, in
 * an order that shifts from round to round, so that a slow minute of the machine hits all alike.
 */
export type Variant = SystemName | "history off" | "history on";

export type Sample = {
  scenario: ScenarioName;
  variant: Variant;
  round: number;
  results: JobResult[];
  /** The greatest share of the cores that others took in this sample. */
  disturbance: number;
};

/** The namespaces that the Aldis server of the bench is configured with. */
const CHANNELS = { plain: "bench:fan-out", history: "history:fan-out" } as const;
/** Descriptors that a process needs besides its connections. */
const SPARE_FILES = 200;
type Turn = { variant: Variant; system: SystemName; channel: string };

export async function runBench(
  machine: Machine,
  options: Options,
  log: (line: string) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const messageBytes = await probeMessageBytes(machine, options);
  for (let round = 0; round < options.rounds; round++) {
    for (const scenario of options.only) {
      for (const turn of rotate(turnsOf(scenario, options.systems), round)) {
        log(`round ${round + 1}/${options.rounds}: ${scenario}, ${turn.variant}`);
        const job = jobFor(scenario, turn, options);
        const { attemptsMax } = options;
        const results = await runTurn(machine, job, { attemptsMax, messageBytes });
        const disturbance = disturbanceOf(results);
        samples.push({ scenario, variant: turn.variant, round, results, disturbance });
      }
    }
  }
  return samples;
}

/** Fan-out is repeated level by level, in the generator; a connection storm needs a fresh server each time. */
function runTurn(
  machine: Machine,
  job: JobPlan,
  options: { attemptsMax: number; messageBytes: number },
): Promise<JobResult[]> {
  return leastDisturbed({
    max: job.scenario === "connect" ? options.attemptsMax : 1,
    serverPid: process.pid,
    run: () => runOnce(machine, job, options.messageBytes),
    disturbanceOf,
    isFaulty: () => false,
  });
}

function disturbanceOf(results: JobResult[]): number {
  return Math.max(
    ...results.map((result) => (result.scenario === "memory" ? 0 : result.othersCpuShare || 0)),
  );
}

function turnsOf(scenario: ScenarioName, systems: SystemName[]): Turn[] {
  if (scenario !== "history") {
    return systems.map((system) => ({ variant: system, system, channel: CHANNELS.plain }));
  }
  if (!systems.includes("aldis")) {
    return [];
  }
  return [
    { variant: "history off", system: "aldis", channel: CHANNELS.plain },
    { variant: "history on", system: "aldis", channel: CHANNELS.history },
  ];
}

function rotate<T>(items: T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

type JobPlan = Job extends infer Each
  ? Each extends Job
    ? Omit<Each, "port" | "serverPid">
    : never
  : never;

function jobFor(scenario: ScenarioName, turn: Turn, options: Options): JobPlan {
  const { system, channel } = turn;
  const { sizes, attemptsMax } = options;
  const { subscribers, payloadBytes, warmUpMs, measureMs, settleMaxMs } = sizes;
  const filesLeft = openFilesMax() - SPARE_FILES;
  switch (scenario) {
    case "fanout":
    case "history":
      return {
        scenario: "fanout",
        system,
        channel,
        subscribers: Math.min(subscribers, filesLeft),
        levels: scenario === "fanout" ? sizes.levels : sizes.historyLevels,
        payloadBytes,
        warmUpMs,
        measureMs,
        attemptsMax,
      };
    case "connect":
      return {
        scenario,
        system,
        connections: Math.min(sizes.connections, filesLeft),
        window: sizes.connectWindow,
      };
    case "memory":
      return {
        scenario,
        system,
        connections: Math.min(sizes.idleConnections, filesLeft),
        channels: sizes.idleChannels,
        window: sizes.connectWindow,
        settleMaxMs,
      };
  }
}

async function runOnce(
  machine: Machine,
  plan: JobPlan,
  messageBytes: number,
): Promise<JobResult[]> {
  const server = await startServer(machine, plan.system, {
    BENCH_MESSAGE_BYTES: String(messageBytes),
  });
  try {
    const job: Job = { ...plan, port: server.port, serverPid: server.pid };
    const generator = join(import.meta.dir, "generator", "main.ts");
    const child = Bun.spawn(
      pinned(machine, 1, [process.execPath, generator, JSON.stringify(job)]),
      { stdout: "pipe", stderr: "inherit" },
    );
    const output = await new Response(child.stdout).text();
    if ((await child.exited) !== 0) {
      throw new Error(`the load generator failed on ${plan.scenario} with ${plan.system}`);
    }
    return JSON.parse(output) as JobResult[];
  } finally {
    await server.stop();
  }
}

/** What one delivery of Aldis weighs without its WebSocket header; the bare Bun server fills up to it. */
async function probeMessageBytes(machine: Machine, options: Options): Promise<number> {
  if (!options.systems.includes("aldis")) {
    return 240;
  }
  const [probe] = await runOnce(
    machine,
    {
      scenario: "fanout",
      system: "aldis",
      channel: CHANNELS.plain,
      subscribers: 100,
      levels: [8],
      payloadBytes: options.sizes.payloadBytes,
      warmUpMs: 100,
      measureMs: 300,
      attemptsMax: 1,
    },
    0,
  );
  const bytes = probe?.scenario === "fanout" ? Math.round(probe.bytesPerDelivery) : 0;
  return bytes - (bytes < 130 ? 2 : 4);
}
