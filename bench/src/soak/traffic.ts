import { createSeededRandom } from "@aldis/testkit";
import { Crew } from "./crew.ts";
import { Residents } from "./residents.ts";
import { sufferStuckClients } from "./stuck-clients.ts";
import type { CycleReport, TrafficOrder, TrafficPlan } from "./wire.ts";

/** The traffic's process: runs a cycle whenever it is told to, and says how it went. */
const plan = JSON.parse(process.argv[2] ?? "") as TrafficPlan;
const STUCK_MAX_MS = 10_000;
const random = createSeededRandom(plan.seed);
const residents = new Residents(plan.port);
let last: Crew | undefined;

async function runCycle({ cycle, durationMs, stuck }: TrafficOrder): Promise<CycleReport> {
  last?.disband();
  if (last === undefined) await residents.moveIn();
  else residents.goOn();
  const crew = new Crew({ port: plan.port, cycle, random });
  last = crew;
  await crew.gather();
  const suffering = stuck
    ? sufferStuckClients(plan.port, cycle, Math.min(durationMs, STUCK_MAX_MS))
    : undefined;
  await crew.work(durationMs);
  await suffering;
  const report = await crew.rest();
  const seen = residents.delivered;
  residents.delivered = 0;
  const faults = [...report.faults, ...(await residents.inspect())];
  return { ...report, delivered: report.delivered + seen, faults };
}

process.on("message", (order: TrafficOrder) => {
  runCycle(order).then(
    (report) => process.send?.(report),
    (error: Error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
