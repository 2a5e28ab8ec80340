import { describe, expect, test } from "bun:test";
import { type Ending, judge } from "./verdict.ts";

const WELL: Ending = { kind: "exit", code: 0 };
const BADLY: Ending = { kind: "exit", code: 1 };

function report(cases: readonly { file: string; inside?: string }[]): string {
  const body = cases.map(
    ({ file, inside = "" }) => `<testcase name="x" file="${file}">${inside}</testcase>`,
  );
  return `<testsuites tests="${cases.length}">${body.join("")}</testsuites>`;
}

describe("judge", () => {
  test("a whole report and a good end are green", () => {
    const verdict = judge(["a.test.ts"], WELL, report([{ file: "a.test.ts" }]));
    expect(verdict).toEqual({ passed: 1, failed: 0, skipped: 0, problems: [] });
  });

  test("failed tests explain a bad end", () => {
    const failing = report([{ file: "a.test.ts", inside: "<failure/>" }]);
    expect(judge(["a.test.ts"], BADLY, failing)).toMatchObject({ failed: 1, problems: [] });
  });

  test("a process that ends without a report fails, even with code 0", () => {
    expect(judge(["a.test.ts"], WELL, undefined)).toMatchObject({ passed: 0, failed: 1 });
    expect(judge(["a.test.ts"], WELL, "<testsuites")).toMatchObject({ passed: 0, failed: 1 });
  });

  test("each file that is not in the report fails", () => {
    const verdict = judge(["a.test.ts", "b.test.ts"], BADLY, report([{ file: "a.test.ts" }]));
    expect(verdict).toMatchObject({ passed: 1, failed: 1 });
    expect(verdict.problems[0]).toContain("b.test.ts");
  });

  test("a suite that only skipped has not run", () => {
    const skipped = report([{ file: "a.test.ts", inside: "<skipped/>" }]);
    expect(judge(["a.test.ts"], WELL, skipped)).toMatchObject({ failed: 1, skipped: 1 });
  });

  test("a bad end that no failed test explains is a failure", () => {
    const verdict = judge(["a.test.ts"], BADLY, report([{ file: "a.test.ts" }]));
    expect(verdict).toMatchObject({ passed: 1, failed: 1 });
  });

  test("running into the time limit is a failure, whatever was reported", () => {
    const green = report([{ file: "a.test.ts" }]);
    expect(judge(["a.test.ts"], { kind: "timeout" }, green)).toMatchObject({
      passed: 1,
      failed: 1,
    });
    expect(judge(["a.test.ts"], { kind: "timeout" }, undefined)).toMatchObject({ failed: 1 });
  });
});
