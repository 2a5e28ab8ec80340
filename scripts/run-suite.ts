import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runBun, withTempFolder } from "./child.ts";
import { listSourceFiles } from "./files.ts";
import { SUITES, type Suite, type SuiteRow, sortTestFiles } from "./suites.ts";
import { judge, type Verdict } from "./verdict.ts";

export type StepResult = Verdict & {
  readonly name: string;
  readonly tookMs: number;
  readonly output: string;
};

/** One `bun test` process over exactly `files`, judged by its JUnit report. */
export async function runSuite(
  suite: Suite,
  files: readonly string[],
  flags: readonly string[] = [],
): Promise<StepResult> {
  if (files.length === 0) return stepOf(suite, { problems: ["there are no test files"] });
  const { timeLimitMs, testTimeoutMs, workers }: SuiteRow = SUITES[suite];
  return withTempFolder(async (folder) => {
    const reportPath = join(folder, "junit.xml");
    const args = [
      "test",
      "--no-orphans",
      "--only-failures",
      `--timeout=${testTimeoutMs}`,
      "--reporter=junit",
      `--reporter-outfile=${reportPath}`,
      ...(workers === undefined ? [] : [`--parallel=${workers}`]),
      ...flags,
      // With the leading `./` a path is that one file; without, any file whose path contains it.
      ...files.map((file) => `./${file}`),
    ];
    const { ending, output, tookMs } = await runBun(args, { timeLimitMs });
    const report = existsSync(reportPath) ? readFileSync(reportPath, "utf8") : undefined;
    return { name: suite, tookMs, output, ...judge(files, ending, report) };
  });
}

/** Format and lint, then types: each counts as one test. Both run at once. */
export function runStatic(): Promise<StepResult[]> {
  return Promise.all([
    runTool("lint", [
      "node_modules/@biomejs/biome/bin/biome",
      "check",
      "--error-on-warnings",
      "--max-diagnostics=200",
      ".",
    ]),
    runTool("types", ["node_modules/typescript/bin/tsc", "--noEmit"]),
  ]);
}

async function runTool(name: string, args: readonly string[]): Promise<StepResult> {
  const { ending, output, tookMs } = await runBun(args, { timeLimitMs: 120_000 });
  const problem =
    ending.kind === "timeout" ? "was stopped at its time limit" : `exit code ${ending.code}`;
  const well = ending.kind === "exit" && ending.code === 0;
  return stepOf(name, { problems: well ? [] : [problem], tookMs, output });
}

type StepParts = { problems: readonly string[]; tookMs?: number; output?: string };

/** A step that counts as a single test, passed when it had no problem. */
export function stepOf(name: string, { problems, tookMs = 0, output = "" }: StepParts): StepResult {
  const failed = problems.length > 0 ? 1 : 0;
  return { name, passed: 1 - failed, failed, skipped: 0, problems, tookMs, output };
}

export function findTestFiles(root: string): ReturnType<typeof sortTestFiles> {
  return sortTestFiles(listSourceFiles(root));
}
