import { type Case, readCases } from "../junit.ts";
import type { Ending } from "../verdict.ts";
import type { Guard } from "./guard.ts";

export type Run = { readonly ending: Ending; readonly report: string | undefined };

/** Errors of a break that does not even run: the test failed, but not because it noticed anything. */
const BROKEN_CODE = new Set(["ReferenceError", "SyntaxError", "TypeError", "BuildMessage"]);

function casesOf({ named, test }: Guard, { ending, report }: Run): Case[] | string {
  if (ending.kind === "timeout") return `${test} was stopped at its time limit`;
  const cases = report === undefined ? undefined : readCases(report);
  if (cases === undefined) return `${test} did not load`;
  const chosen = cases.filter(({ name, outcome }) => name.includes(named) && outcome !== "skipped");
  return chosen.length > 0 ? chosen : `${test}: no test is named ${named}`;
}

/** What is wrong with the unbroken run: all tests of this guard must be there and pass. */
export function problemUnbroken(guard: Guard, run: Run): string | undefined {
  const cases = casesOf(guard, run);
  if (typeof cases === "string") return cases;
  const failed = cases.find(({ outcome }) => outcome === "failed");
  return failed && `unbroken, it fails too: ${failed.name}: ${failed.message}`;
}

/** What is wrong with the broken run: at least one test must fail, and by what it looks at. */
export function problemBroken(guard: Guard, run: Run): string | undefined {
  const cases = casesOf(guard, run);
  if (typeof cases === "string") return cases;
  const failed = cases.filter(({ outcome }) => outcome === "failed");
  if (failed.length === 0) return "the test passes without its guard";
  const real = failed.find(({ type }) => !BROKEN_CODE.has(type));
  const [first] = failed;
  return real === undefined
    ? `the break does not run: ${first?.type}: ${first?.message}`
    : undefined;
}
