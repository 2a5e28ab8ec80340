import { describe, expect, test } from "bun:test";
import { breakGuard, type Guard } from "./guard.ts";
import { problemBroken, problemUnbroken, type Run } from "./judge-guard.ts";

const guard: Guard = {
  faults: [20],
  breaks: "any secret opens",
  file: "a.ts",
  find: "if (right)",
  replace: "if (true)",
  test: "a.test.ts",
  named: "[SE6] a wrong secret",
};

describe("breaking a guard", () => {
  test("replaces its text, and nothing else", () => {
    expect(breakGuard(guard, "x; if (right) y;")).toEqual({ broken: "x; if (true) y;" });
  });

  test.each([
    ["x;", guard, "no longer holds"],
    ["if (right) if (right)", guard, "more than once"],
    ["if (right)", { ...guard, replace: guard.find }, "changes nothing"],
  ])("%s is a fault of the table", (text, entry, problem) => {
    expect(breakGuard(entry, text)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

function runOf(...bodies: readonly string[]): Run {
  const cases = bodies.map(
    (body) => `<testcase name="[SE6] a wrong secret" classname="sessions">${body}</testcase>`,
  );
  const report = `<testsuites tests="${bodies.length}">${cases.join("")}</testsuites>`;
  return { ending: { kind: "exit", code: 1 }, report };
}
const PASSED = " ";
const SKIPPED = "<skipped />";
const failed = (type: string) => `<failure type="${type}" message="what it said" />`;

describe("a broken guard is seen", () => {
  test.each(["AssertionError", "Error", "TimeoutError"])("by a test that fails with %s", (type) => {
    expect(problemBroken(guard, runOf(PASSED, failed(type)))).toBeUndefined();
  });

  test.each([
    ["all pass", runOf(PASSED), "passes without its guard"],
    ["none ran", runOf(SKIPPED), "no test is named"],
    ["it does not load", { ending: { kind: "exit", code: 1 }, report: undefined }, "not load"],
    ["it hangs", { ending: { kind: "timeout" }, report: undefined }, "time limit"],
    ["the break is no code", runOf(failed("ReferenceError")), "does not run"],
    ["the break is no code that runs", runOf(failed("TypeError")), "does not run"],
  ] as const)("but not when %s", (_, run, problem) => {
    expect(problemBroken(guard, run)).toContain(problem);
  });
});

describe("unbroken, the test", () => {
  test("has to pass", () => {
    expect(problemUnbroken(guard, runOf(PASSED, SKIPPED))).toBeUndefined();
    expect(problemUnbroken(guard, runOf(PASSED, failed("Error")))).toContain("what it said");
  });

  test("has to be there", () => {
    expect(problemUnbroken({ ...guard, named: "gone" }, runOf(PASSED))).toContain("no test is");
  });
});
