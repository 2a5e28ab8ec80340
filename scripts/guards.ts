/**
 * The suite `guards`: breaks each guard of the table in a copy of the repository and demands that the test named beside it
 * fails, by what it looks at, and passes unbroken. Three at a time: a broken guard mostly shows as something that is waited for in vain.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, runBun, withTempFolder } from "./child.ts";
import { breakGuard, type Guard } from "./guards/guard.ts";
import { problemBroken, problemUnbroken, type Run } from "./guards/judge-guard.ts";
import { copyTree } from "./guards/tree.ts";
import type { StepResult } from "./run-suite.ts";

const LANES = 3;
/** A broken guard often shows as something that never comes: the tests then need not wait for long. */
const GIVE_UP_MS = 4_000;
const TEST_TIMEOUT_MS = 30_000;
const RUN_LIMIT_MS = 120_000;

export async function runGuards(guards: readonly Guard[]): Promise<StepResult> {
  const startedAtMs = performance.now();
  const problems = new Map<Guard, string>();
  await withTempFolder(async (folder) => {
    const trees = Array.from({ length: LANES }, (_, lane) => join(folder, `${lane}`));
    for (const tree of trees) copyTree(ROOT, tree);
    const files = Map.groupBy(guards, ({ test }) => test);
    await inLanes(trees, [...files.values()], (tree, sharing) =>
      runUnbroken(tree, sharing, problems),
    );
    const sound = guards.filter((guard) => !problems.has(guard));
    await inLanes(trees, sound, async (tree, guard) => {
      const problem = await runBroken(tree, guard);
      if (problem !== undefined) problems.set(guard, problem);
    });
  });
  return {
    name: "guards",
    passed: guards.length - problems.size,
    failed: problems.size,
    skipped: 0,
    problems: [...problems].map(([guard, problem]) => `${titleOf(guard)}: ${problem}`),
    tookMs: performance.now() - startedAtMs,
    output: "",
  };
}

export function titleOf({ faults, breaks, file }: Guard): string {
  return `faults ${faults.join(", ")}: ${breaks} (${file})`;
}

/** Each tree takes the next item as soon as it is free. */
async function inLanes<T>(
  trees: readonly string[],
  items: readonly T[],
  work: (tree: string, item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  await Promise.all(
    trees.map(async (tree) => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        await work(tree, item);
      }
    }),
  );
}

/** One run for all guards whose tests are in one file. */
async function runUnbroken(
  tree: string,
  sharing: readonly Guard[],
  problems: Map<Guard, string>,
): Promise<void> {
  const test = sharing[0]?.test ?? "";
  const run = await runTests(tree, test, sharing);
  for (const guard of sharing) {
    const problem = problemUnbroken(guard, run);
    if (problem !== undefined) problems.set(guard, problem);
  }
}

async function runBroken(tree: string, guard: Guard): Promise<string | undefined> {
  const path = join(tree, guard.file);
  if (!existsSync(path)) return `${guard.file} is not there`;
  const text = readFileSync(path, "utf8");
  const outcome = breakGuard(guard, text);
  if ("problem" in outcome) return outcome.problem;
  try {
    writeFileSync(path, outcome.broken);
    return problemBroken(guard, await runTests(tree, guard.test, [guard]));
  } finally {
    writeFileSync(path, text);
  }
}

async function runTests(tree: string, test: string, guards: readonly Guard[]): Promise<Run> {
  const reportPath = join(tree, "guards-report.xml");
  writeFileSync(reportPath, "");
  const giveUpMs = Math.max(...guards.map((guard) => guard.giveUpMs ?? GIVE_UP_MS));
  const pattern = guards.map(({ named }) => named.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const { ending } = await runBun(
    [
      "test",
      "--no-orphans",
      `--timeout=${TEST_TIMEOUT_MS}`,
      `--test-name-pattern=${pattern}`,
      "--reporter=junit",
      `--reporter-outfile=${reportPath}`,
      `./${test}`,
    ],
    { timeLimitMs: RUN_LIMIT_MS, cwd: tree, env: { ALDIS_TEST_GIVE_UP_MS: `${giveUpMs}` } },
  );
  const report = readFileSync(reportPath, "utf8");
  return { ending, report: report === "" ? undefined : report };
}
