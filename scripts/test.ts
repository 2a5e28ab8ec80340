/**
 * `bun run test`: every test there is, from a clean checkout; `--suite <name>` for one suite alone, and of the
 * guards `--only <text>` those whose title holds it. Its last line is `N passed, N failed`, which counts lint and types as one each.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ROOT, runBun } from "./child.ts";
import { CHROMIUM, type DebianProgram, missing, POSTGRES, REDIS } from "./debian-program.ts";
import { GUARDS } from "./guards/table.ts";
import { runGuards, titleOf } from "./guards.ts";
import { closingLine, sum } from "./junit.ts";
import { exitCodeOf, printFailure, printTable } from "./print.ts";
import { findTestFiles, runStatic, runSuite, type StepResult, stepOf } from "./run-suite.ts";
import { SUITES, type Suite } from "./suites.ts";

const NAMES = ["check", "unit", "integration", "cluster", "e2e", "bench", "guards"] as const;
type Name = (typeof NAMES)[number];

/** What a suite cannot run without. */
const NEEDED: Partial<Record<Name, readonly DebianProgram[]>> = {
  cluster: [REDIS, POSTGRES],
  e2e: [CHROMIUM],
};

const { bySuite, strays } = findTestFiles(ROOT);

const { values } = parseArgs({ options: { suite: { type: "string" }, only: { type: "string" } } });

function chosenNames(): readonly Name[] {
  if (values.suite === undefined) return NAMES;
  const name = NAMES.find((known) => known === values.suite);
  if (name !== undefined) return [name];
  console.error(`no suite \`${values.suite}\`: there are ${NAMES.join(", ")}`);
  process.exit(2);
}

async function runNamed(name: Name): Promise<StepResult[]> {
  if (name === "check") return [...(await runStatic()), placesOfTests()];
  if (name === "guards") {
    const chosen = GUARDS.filter((guard) => titleOf(guard).includes(values.only ?? ""));
    console.log(`guards: ${chosen.length} to break`);
    return [await runGuards(chosen)];
  }
  const files = bySuite[name];
  if (files.length === 0 && SUITES[name].optional) return [];
  console.log(`${name}: ${files.length} files`);
  if (name === "unit") return [await runSuite(name, files, ["--coverage"])];
  const needed = NEEDED[name];
  if (needed !== undefined) return [await runWith(needed, name, files)];
  return [await runSuite(name, files)];
}

/** A test file outside every suite would never run, and nobody would know. */
function placesOfTests(): StepResult {
  return stepOf("places", { problems: strays.map((path) => `${path} is in no suite`) });
}

/** Skipped, and counted as such, when a program that its tests need cannot be had. */
async function runWith(
  programs: readonly DebianProgram[],
  suite: Suite,
  files: readonly string[],
): Promise<StepResult> {
  const reason = files.length === 0 ? undefined : await firstMissing(programs);
  if (reason === undefined) {
    if (suite === "cluster") await prepareMongo();
    return runSuite(suite, files);
  }
  const counted = await countTests(suite, files);
  console.log(`${suite}: ${counted} tests skipped: ${reason}`);
  return { ...stepOf(suite, { problems: [] }), passed: 0, skipped: counted };
}

/** Where there is no Go and no MongoDB its tests say themselves that they are skipped; here it is said aloud. A build that fails, fails them. */
async function prepareMongo(): Promise<void> {
  const { output } = await runBun([join(ROOT, "packages/testkit/src/mongo/build-main.ts")], {
    timeLimitMs: 400_000,
  });
  if (output !== "") console.log(`cluster: ${output.trimEnd()}`);
}

async function firstMissing(programs: readonly DebianProgram[]): Promise<string | undefined> {
  for (const program of programs) {
    const reason = await missing(program);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Loads the files with a filter that no name matches; a file that does not even load counts as one. */
async function countTests(suite: Suite, files: readonly string[]): Promise<number> {
  const { skipped } = await runSuite(suite, files, ["--test-name-pattern=^\\b$"]);
  return Math.max(skipped, files.length);
}

function printCoverage({ output, failed }: StepResult): void {
  if (failed > 0) return;
  const table = output.split("\n").filter((line) => /\|\s+[\d.]+ \||^-+\|/.test(line));
  console.log(`\n${table.join("\n")}\n`);
}

const steps: StepResult[] = [];
for (const name of chosenNames()) {
  for (const step of await runNamed(name)) {
    printFailure(step);
    if (name === "unit") printCoverage(step);
    steps.push(step);
  }
}
printTable(steps);
console.log(closingLine(sum(steps)));
process.exit(exitCodeOf(steps));
