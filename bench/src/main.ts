import { capacityMain } from "./capacity/main.ts";
import { faultsIn } from "./check.ts";
import { jobsMain } from "./jobs/main.ts";
import { noisyMain } from "./noisy/main.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { tableOf } from "./report.ts";
import { rpcMain } from "./rpc/main.ts";
import { runBench } from "./run.ts";
import { scaleMain } from "./scale/main.ts";
import type { Sample } from "./scenario.ts";
import { describeMachine, type Machine, openMachine } from "./servers/launch.ts";
import { missingRedis } from "./servers/redis.ts";
import { soakMain } from "./soak/main.ts";
import { storeMain } from "./store/main.ts";
import { renderTable } from "./table.ts";
import { webhooksMain } from "./webhooks/main.ts";

/** `bun bench`: see bench/README.md. Returns the exit code. */
async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (typeof options === "string") {
    console.log(options);
    return options === USAGE ? 0 : 2;
  }
  const machine = await openMachine();
  try {
    printHead(machine, options);
    const samples = await runBench(machine, options, (line) => console.error(line));
    if (options.json !== undefined) {
      const described = describeMachine(machine);
      await Bun.write(options.json, JSON.stringify({ machine: described, options, samples }));
    }
    console.log(`\n${renderTable(tableOf(samples))}\n`);
    return printVerdict(samples) ? 0 : 1;
  } finally {
    machine.dispose();
  }
}

/** The options, or what to print instead of running. */
function readOptions(args: string[]): Options | string {
  try {
    const options = parseOptions(args);
    return options === "help" ? USAGE : options;
  } catch (error) {
    return `${error instanceof Error ? error.message : error}\n\n${USAGE}`;
  }
}

function printHead(machine: Machine, { rounds, sizes }: Options): void {
  console.log(describeMachine(machine));
  console.log(
    machine.taskset === undefined
      ? "NOT PINNED (no taskset, or one core only): server and generator share the machine, expect noise"
      : "every server on core 0, the load generator on core 1",
  );
  const missing = missingRedis();
  if (missing !== undefined) console.log(`${missing}: the scenarios over Redis are left out`);
  console.log(
    `${sizes.subscribers} subscribers, ${sizes.payloadBytes}-byte JSON, ${rounds} round(s), ` +
      `${sizes.measureMs / 1000} s each: medians (min–max), percentiles over all rounds`,
  );
}

/** Whether the figures may be believed. */
function printVerdict(samples: Sample[]): boolean {
  const worst = Math.max(...samples.map((sample) => sample.disturbance));
  console.log(
    `Other processes took at most ${(worst * 100).toFixed(0)} % of the two cores during what is shown.`,
  );
  const faults = faultsIn(samples);
  if (faults.length > 0) {
    console.log(`LOST, DOUBLED OR OUT OF ORDER:\n${faults.join("\n")}`);
  } else if (samples.some(({ scenario }) => scenario !== "memory" && scenario !== "connect")) {
    console.log("Every subscriber got every publish exactly once.");
  }
  return faults.length === 0;
}

/** What is no comparison has a name of its own. */
function run([first, ...rest]: string[]): Promise<number> {
  switch (first) {
    case "soak":
      return soakMain(rest);
    case "scale":
      return scaleMain(rest);
    case "capacity":
      return capacityMain(rest);
    case "noisy":
      return noisyMain(rest);
    case "store":
      return storeMain(rest);
    case "webhooks":
      return webhooksMain(rest);
    case "rpc":
      return rpcMain(rest);
    case "jobs":
      return jobsMain(rest);
    default:
      return main(process.argv.slice(2));
  }
}

process.exitCode = await run(process.argv.slice(2));
