import { faultsIn } from "./check.ts";
import { parseOptions, USAGE } from "./options.ts";
import { tableOf } from "./report.ts";
import { runBench } from "./run.ts";
import { describeMachine, openMachine } from "./servers/launch.ts";
import { renderTable } from "./table.ts";

/** `bun bench`: see bench/README.md. */
async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(USAGE);
    return 0;
  }
  const machine = await openMachine();
  try {
    const { rounds, sizes } = options;
    console.log(describeMachine(machine));
    console.log(
      machine.taskset === undefined
        ? "NOT PINNED (no taskset, or one core only): server and generator share the machine, expect noise"
        : "every server on core 0, the load generator on core 1",
    );
    console.log(
      `${sizes.subscribers} subscribers, ${sizes.payloadBytes}-byte JSON, ${rounds} round(s), ` +
        `${sizes.measureMs / 1000} s each: medians (min–max), percentiles over all rounds`,
    );
    const samples = await runBench(machine, options, (line) => console.error(line));
    console.log(`\n${renderTable(tableOf(samples))}`);
    const worst = Math.max(...samples.map((sample) => sample.disturbance));
    console.log(
      `\nOther processes took at most ${(worst * 100).toFixed(0)} % of the two cores during what is shown.`,
    );
    const faults = faultsIn(samples);
    console.log(
      faults.length === 0
        ? "Every subscriber got every publish exactly once."
        : `LOST, DOUBLED OR OUT OF ORDER:\n${faults.join("\n")}`,
    );
    if (options.json !== undefined) {
      const machineLine = describeMachine(machine);
      await Bun.write(options.json, JSON.stringify({ machine: machineLine, options, samples }));
    }
    return faults.length === 0 ? 0 : 1;
  } finally {
    machine.dispose();
  }
}

process.exitCode = await main();
