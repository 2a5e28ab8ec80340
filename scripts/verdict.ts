import { readReport, type Tally } from "./junit.ts";

/** How a child process ended; `timeout` means that it was killed at its time limit. */
export type Ending =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "timeout" };

export type Verdict = Tally & { readonly problems: readonly string[] };

/**
 * What a suite is worth. Green has to be shown, not assumed: each file handed over must appear in the
 * report with at least one test, at least one test must really have run, and the process must have
 * ended well. Whatever is missing counts as a failure of its own.
 */
export function judge(
  files: readonly string[],
  ending: Ending,
  reportXml: string | undefined,
): Verdict {
  if (ending.kind === "timeout") return broken("was stopped at its time limit", reportXml);
  const report = reportXml === undefined ? undefined : readReport(reportXml);
  if (report === undefined) return broken(`gave no report (exit code ${ending.code})`, undefined);
  const problems = files
    .filter((file) => !report.files.has(file))
    .map((file) => `${file}: did not load, or holds no test`);
  if (report.passed + report.failed === 0) problems.push("no test was run");
  if (ending.code !== 0 && report.failed === 0 && problems.length === 0) {
    problems.push(`exit code ${ending.code}, though no test failed`);
  }
  const { passed, failed, skipped } = report;
  return { passed, failed: failed + problems.length, skipped, problems };
}

function broken(problem: string, reportXml: string | undefined): Verdict {
  const report = reportXml === undefined ? undefined : readReport(reportXml);
  const { passed, failed, skipped } = report ?? { passed: 0, failed: 0, skipped: 0 };
  return { passed, failed: failed + 1, skipped, problems: [problem] };
}
