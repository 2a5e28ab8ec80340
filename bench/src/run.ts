import { join } from "node:path";
import { leastDisturbed } from "./generator/load.ts";
import type { Options } from "./options.ts";
import { CHANNELS, type Plan, type ResultBase, type Sample } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/all.ts";
import { type FanOutResult, planFor } from "./scenarios/fan-out.ts";
import { type Machine, pinned } from "./servers/launch.ts";
import { startPlace } from "./servers/place.ts";
import { openStore } from "./servers/store.ts";

/**
 * Runs the scenarios in rounds. Within a round every system has its turn with a fresh server process, in
 * an order that shifts from round to round, so that a slow minute of the machine hits all alike.
 */
export async function runBench(
  machine: Machine,
  options: Options,
  log: (line: string) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const messageBytes = await probeMessageBytes(machine, options);
  for (let round = 0; round < options.rounds; round++) {
    for (const name of options.only) {
      const scenario = SCENARIOS[name];
      for (const turn of rotate(scenario.turns(options.systems), round)) {
        log(`round ${round + 1}/${options.rounds}: ${name}, ${turn.variant}`);
        const plan = scenario.plan(turn, options);
        const attemptsMax = scenario.repeatsWithFreshServer ? options.attemptsMax : 1;
        const results = await runTurn(machine, plan, { attemptsMax, messageBytes });
        const { variant } = turn;
        samples.push({
          scenario: name,
          variant,
          round,
          results,
          disturbance: disturbanceOf(results),
        });
      }
    }
  }
  return samples;
}

/** Most are repeated in the generator; a connection storm needs a fresh server each time. */
function runTurn(
  machine: Machine,
  plan: Plan,
  options: { attemptsMax: number; messageBytes: number },
): Promise<ResultBase[]> {
  return leastDisturbed({
    max: options.attemptsMax,
    serverPid: process.pid,
    run: () => runOnce(machine, plan, options.messageBytes),
    disturbanceOf,
    isFaulty: () => false,
  });
}

function disturbanceOf(results: ResultBase[]): number {
  return Math.max(...results.map((result) => result.othersCpuShare || 0));
}

function rotate<T>(items: T[], by: number): T[] {
  const start = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

async function runOnce(machine: Machine, plan: Plan, messageBytes: number): Promise<ResultBase[]> {
  const { system, nodes } = plan;
  await using store = plan.store && (await openStore(machine, plan.store));
  const place = await startPlace(
    machine,
    { system, nodes },
    {
      BENCH_MESSAGE_BYTES: String(messageBytes),
      ...(store && { BENCH_STORE_URL: store.url }),
    },
  );
  try {
    const job = { ...plan, ...place.address, ...(store && { storeUrl: store.url }) };
    const generator = join(import.meta.dir, "generator", "main.ts");
    const child = Bun.spawn(
      pinned(machine, 1, [process.execPath, generator, JSON.stringify(job)]),
      { stdout: "pipe", stderr: "inherit" },
    );
    const output = await new Response(child.stdout).text();
    if ((await child.exited) !== 0) {
      throw new Error(`the load generator failed on ${plan.scenario} with ${plan.system}`);
    }
    return JSON.parse(output) as ResultBase[];
  } finally {
    await place.stop();
  }
}

/** What one delivery of Aldis weighs without its WebSocket header; the bare Bun server fills up to it. */
async function probeMessageBytes(machine: Machine, options: Options): Promise<number> {
  if (!options.systems.includes("aldis")) {
    return 240;
  }
  const turn = { variant: "aldis", system: "aldis", channel: CHANNELS.plain } as const;
  const plan: Plan = {
    ...planFor(turn, options, [8]),
    ...{ subscribers: 100, warmUpMs: 100, measureMs: 300, attemptsMax: 1 },
  };
  const [probe] = (await runOnce(machine, plan, 0)) as FanOutResult[];
  const bytes = Math.round(probe?.bytesPerDelivery ?? 0);
  return bytes - (bytes < 130 ? 2 : 4);
}
