import { describeMachine, openMachine } from "../servers/launch.ts";
import { runSoak } from "./soak.ts";
import { parseSoakOptions, SOAK_USAGE, type SoakOptions } from "./soak-options.ts";
import { isSoakGood, sampleRow, soakReport } from "./soak-report.ts";

/** `bun bench soak`: see bench/README.md. Returns the exit code: 1 when something grows or was lost. */
export async function soakMain(args: string[]): Promise<number> {
  let options: SoakOptions | "help";
  try {
    options = parseSoakOptions(args);
  } catch (error) {
    console.log(`${error instanceof Error ? error.message : error}\n\n${SOAK_USAGE}`);
    return 2;
  }
  if (options === "help") {
    console.log(SOAK_USAGE);
    return 0;
  }
  const machine = await openMachine();
  try {
    console.log(describeMachine(machine));
    console.log(`soak: ${options.minutes} minutes, a sample every ${options.cycleMs / 1000} s`);
    const samples = await runSoak(machine, options, (sample) => {
      console.error(sampleRow(sample).join("  "));
    });
    if (options.json !== undefined) {
      await Bun.write(options.json, JSON.stringify({ options, samples }));
    }
    console.log(`\n${soakReport(samples)}`);
    return isSoakGood(samples) ? 0 : 1;
  } finally {
    machine.dispose();
  }
}
