import { headerRow, type Row } from "./rows.ts";
import type { Sample } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/all.ts";

/** Turns samples into the rows of the one table that `bun bench` prints. */
export function tableOf(samples: Sample[]): Row[] {
  const rows = Object.entries(SCENARIOS).flatMap(([name, scenario]) => {
    const own = samples.filter((sample) => sample.scenario === name);
    return own.length === 0 ? [] : scenario.rows(own);
  });
  return [headerRow(), ...rows];
}
