import type { Sample } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/all.ts";

/**
 * What was lost, doubled or out of order, one line each; empty when every subscriber got every publish
 * exactly once. A speed without this is worth nothing.
 */
export function faultsIn(samples: Sample[]): string[] {
  return samples.flatMap(({ scenario, variant, round, results }) =>
    results
      .flatMap((result) => SCENARIOS[scenario].faults(result))
      .map((fault) => `${scenario}, ${variant}, round ${round + 1}: ${fault}`),
  );
}
