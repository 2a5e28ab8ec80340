/** Which suite a test file belongs to, decided by its place alone (see CONTRIBUTING.md). */
export const SUITES = {
  unit: { timeLimitMs: 180_000, testTimeoutMs: 20_000, optional: false },
  integration: { timeLimitMs: 900_000, testTimeoutMs: 60_000, optional: false },
  cluster: { timeLimitMs: 900_000, testTimeoutMs: 120_000, optional: false, workers: 2 },
  e2e: { timeLimitMs: 600_000, testTimeoutMs: 120_000, optional: false },
  bench: { timeLimitMs: 300_000, testTimeoutMs: 120_000, optional: true },
} as const satisfies Record<string, SuiteRow>;

export type SuiteRow = {
  timeLimitMs: number;
  testTimeoutMs: number;
  /** May have no files; everywhere else nothing to run is a failure. */
  optional: boolean;
  /** So many files are run side by side, each in a process; absent: one after another, in one. */
  workers?: number;
};

export type Suite = keyof typeof SUITES;

const TEST_FILE = /\.(test|spec)\.[cm]?[jt]sx?$|_(test|spec)\.[cm]?[jt]sx?$/;

/** The same names that `bun test` would pick up by itself. */
export function isTestFile(path: string): boolean {
  return TEST_FILE.test(path);
}

/** Of Redis or of a database. */
const NEEDS_A_SERVER =
  /^packages\/[^/]+\/(src\/.*\.(redis|postgres|mongo)\.test\.ts$|test\/cluster\/)/;

/** Undefined for a test file that lies where no suite looks: it would never run. */
export function suiteOf(path: string): Suite | undefined {
  if (NEEDS_A_SERVER.test(path)) return "cluster";
  if (/^packages\/[^/]+\/src\//.test(path) || path.startsWith("scripts/")) return "unit";
  if (/^packages\/[^/]+\/test\//.test(path)) return "integration";
  if (path.startsWith("e2e/")) return "e2e";
  if (path.startsWith("bench/src/")) return "bench";
  return undefined;
}

export type TestFiles = {
  readonly bySuite: Readonly<Record<Suite, readonly string[]>>;
  readonly strays: readonly string[];
};

export function sortTestFiles(paths: readonly string[]): TestFiles {
  const bySuite: Record<Suite, string[]> = {
    unit: [],
    integration: [],
    cluster: [],
    e2e: [],
    bench: [],
  };
  const strays: string[] = [];
  for (const path of paths) {
    if (!isTestFile(path)) continue;
    const suite = suiteOf(path);
    (suite === undefined ? strays : bySuite[suite]).push(path);
  }
  return { bySuite, strays };
}
