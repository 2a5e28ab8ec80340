/** `bun run check`: format, lint, types and unit tests at once; the thing to run before every commit. */
import { ROOT } from "./child.ts";
import { closingLine, sum } from "./junit.ts";
import { exitCodeOf, printFailure, printTable } from "./print.ts";
import { findTestFiles, runStatic, runSuite } from "./run-suite.ts";

const { bySuite } = findTestFiles(ROOT);
const [tools, unit] = await Promise.all([runStatic(), runSuite("unit", bySuite.unit)]);
const steps = [...tools, unit];
for (const step of steps) printFailure(step);
printTable(steps);
console.log(closingLine(sum(steps)));
process.exit(exitCodeOf(steps));
