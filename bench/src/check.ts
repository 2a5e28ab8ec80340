import { isExact } from "./job.ts";
import type { Sample } from "./run.ts";

/**
 * What was lost, doubled or out of order, one line each; empty when every subscriber got every publish
 * exactly once. A speed without this is worth nothing.
 */
export function faultsIn(samples: Sample[]): string[] {
  return samples.flatMap(({ variant, round, results }) =>
    results.flatMap((result) => {
      if (result.scenario !== "fanout") {
        return [];
      }
      const { level, published, deliveredMin, deliveredMax, disordered } = result;
      return isExact(result)
        ? []
        : [
            `${variant}, round ${round + 1}, ${level} in flight: ${published} published, ` +
              `${deliveredMin} to ${deliveredMax} per subscriber, ${disordered} out of order`,
          ];
    }),
  );
}
