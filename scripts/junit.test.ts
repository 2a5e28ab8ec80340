import { describe, expect, test } from "bun:test";
import { closingLine, readReport, sum } from "./junit.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="bun test" tests="5" assertions="2" failures="2" skipped="2" time="0.03">
  <testsuite name="src/a.test.ts" file="src/a.test.ts" tests="4" failures="1" skipped="2">
    <testsuite name="outer &amp; &lt;x&gt;" file="src/a.test.ts" tests="4" failures="1" skipped="2">
      <testcase name="ok &gt; &quot;q&quot;" classname="outer" time="0" file="src/a.test.ts" line="2" assertions="0" />
      <testcase name="bad" classname="outer" time="0" file="src/a.test.ts" line="3" assertions="1">
        <failure type="AssertionError" message="no &lt;skipped /&gt;">AssertionError&#10;</failure>
      </testcase>
      <testcase name="later" classname="outer" time="0" file="src/a.test.ts" line="4" assertions="0">
        <skipped />
      </testcase>
      <testcase name="to do" classname="outer" time="0" file="src/a.test.ts" line="5" assertions="0">
        <skipped message="TODO" />
      </testcase>
    </testsuite>
  </testsuite>
  <testsuite name="src/b &amp; c.test.ts" file="src/b &amp; c.test.ts" tests="1" failures="1">
    <testcase name="broke" classname="" time="0" file="src/b &amp; c.test.ts" assertions="0">
      <error type="Error" message="boom" />
    </testcase>
  </testsuite>
</testsuites>
`;

describe("readReport", () => {
  test("counts each case once, by its own result", () => {
    const report = readReport(REPORT);
    expect(report).toMatchObject({ passed: 1, failed: 2, skipped: 2 });
  });

  test("names the files that ran", () => {
    expect([...(readReport(REPORT)?.files ?? [])]).toEqual(["src/a.test.ts", "src/b & c.test.ts"]);
  });

  test("takes an empty run for a report of nothing", () => {
    const xml = `<testsuites name="bun test" tests="0" failures="0"></testsuites>`;
    expect(readReport(xml)).toMatchObject({ passed: 0, failed: 0, skipped: 0 });
  });

  test.each([
    ["nothing", ""],
    ["another text", "3 pass"],
    ["a report cut short", REPORT.slice(0, 900)],
    ["a report that misses a case it counted", REPORT.replace('tests="5"', 'tests="6"')],
  ])("refuses %s", (_, xml) => {
    expect(readReport(xml)).toBeUndefined();
  });
});

test("sum adds every column", () => {
  const total = sum([
    { passed: 1, failed: 2, skipped: 3 },
    { passed: 10, failed: 20, skipped: 30 },
  ]);
  expect(total).toEqual({ passed: 11, failed: 22, skipped: 33 });
});

test("closingLine names skipped tests only when there are some", () => {
  expect(closingLine({ passed: 7, failed: 0, skipped: 0 })).toBe("7 passed, 0 failed");
  expect(closingLine({ passed: 7, failed: 1, skipped: 2 })).toBe("7 passed, 1 failed, 2 skipped");
});
