import { describeMachine, type Machine, openMachine } from "../servers/launch.ts";
import { runSoak, type SoakSample } from "./soak.ts";
import { parseSoakOptions, SOAK_USAGE, type SoakOptions } from "./soak-options.ts";
import { isSoakGood, sampleRow, soakReport } from "./soak-report.ts";

const FAULTS_SHOWN = 5;

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
    return await soakWith(machine, options);
  } finally {
    machine.dispose();
  }
}

async function soakWith(machine: Machine, options: SoakOptions): Promise<number> {
  const samples: SoakSample[] = [];
  let isWhole = false;
  try {
    await runSoak(machine, options, (sample) => {
      samples.push(sample);
      console.error(sampleRow(sample).join("  "));
      for (const { kind, detail } of sample.traffic.faults.slice(0, FAULTS_SHOWN)) {
        console.error(`  ${kind}: ${detail}`);
      }
    });
    isWhole = true;
  } finally {
    // Also of a run that broke: an hour's samples are worth having.
    if (options.json !== undefined) {
      await Bun.write(options.json, JSON.stringify({ options, isWhole, samples }));
    }
    console.log(`\n${soakReport(samples)}`);
  }
  return isSoakGood(samples) ? 0 : 1;
}
