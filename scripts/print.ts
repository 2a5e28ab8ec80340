import { sum } from "./junit.ts";
import type { StepResult } from "./run-suite.ts";

/** What a failed step said, in full; nothing for one that went well. */
export function printFailure(step: StepResult): void {
  if (step.failed === 0) return;
  console.log(`\n--- ${step.name} failed ---`);
  if (step.output.trim() !== "") console.log(step.output.trimEnd());
  for (const problem of step.problems) console.log(`${step.name}: ${problem}`);
}

export function printTable(steps: readonly StepResult[]): void {
  const head = ["", "passed", "failed", "skipped", "seconds"];
  console.log(`\n${tableRow(head)}`);
  for (const step of steps) {
    const { name, passed, failed, skipped, tookMs } = step;
    console.log(tableRow([name, passed, failed, skipped, (tookMs / 1000).toFixed(1)]));
  }
  console.log("");
}

function tableRow([name = "", ...cells]: readonly (string | number)[]): string {
  return String(name).padEnd(12) + cells.map((cell) => String(cell).padStart(9)).join("");
}

export function exitCodeOf(steps: readonly StepResult[]): 0 | 1 {
  return sum(steps).failed > 0 ? 1 : 0;
}
