import { describeMachine, type Machine, openMachine } from "../servers/launch.ts";
import { missingRedis } from "../servers/redis.ts";
import { runScale } from "./run-scale.ts";
import { parseScaleOptions, SCALE_USAGE, type ScaleOptions } from "./scale-options.ts";
import { scaleReport } from "./scale-report.ts";

/** `bun bench scale`: see bench/README.md. Returns the exit code: 1 when something was lost. */
export async function scaleMain(args: string[]): Promise<number> {
  let options: ScaleOptions | "help";
  try {
    options = parseScaleOptions(args);
  } catch (error) {
    console.log(`${error instanceof Error ? error.message : error}\n\n${SCALE_USAGE}`);
    return 2;
  }
  if (options === "help") {
    console.log(SCALE_USAGE);
    return 0;
  }
  const missing = options.broker === "redis" ? missingRedis() : undefined;
  if (missing !== undefined) {
    console.log(`${missing}; --broker memory runs without`);
    return 2;
  }
  const machine = await openMachine();
  try {
    return await scaleWith(machine, options);
  } finally {
    machine.dispose();
  }
}

async function scaleWith(machine: Machine, options: ScaleOptions): Promise<number> {
  console.log(describeMachine(machine));
  const { connections, nodes, rooms, halls, broker } = options;
  const over = broker === "redis" ? "over one Redis" : "that know nothing of each other";
  console.log(
    `scale: ${connections} connections to ${nodes} gateways ${over}, ${rooms} rooms, ${halls} halls; ` +
      "gateways and Redis on core 0, clients on core 1",
  );
  const result = await runScale(machine, options, (line) => console.error(line));
  if (options.json !== undefined) {
    const described = describeMachine(machine);
    await Bun.write(options.json, JSON.stringify({ machine: described, ...result }));
  }
  console.log(`\n${scaleReport(result)}\n`);
  for (const [cause, count] of Object.entries(result.tally.closed)) {
    console.log(`${count} × ${cause}`);
  }
  const { faults } = result;
  console.log(
    faults.length === 0
      ? "Every member has every message of its room, in order."
      : `LOST OR OUT OF ORDER:\n${faults.join("\n")}`,
  );
  return faults.length === 0 ? 0 : 1;
}
