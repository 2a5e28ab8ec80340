import type { z } from "zod";

type Issue = z.core.$ZodRawIssue;

/** What is wrong with a value, for whoever wrote it; undefined: the schema says it itself. Never repeats the value: it may be a secret. */
export function wordsOf(issue: Issue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is missing" : `must be ${kindOf(issue.expected)}`;
    case "too_small":
      return `must ${boundOf("at least", Number(issue.minimum), issue.origin)}`;
    case "too_big":
      return `must ${boundOf("at most", Number(issue.maximum), issue.origin)}`;
    case "invalid_value":
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "invalid_union":
      return "has none of the forms that it may have";
    default:
      return undefined;
  }
}

function kindOf(expected: string): string {
  switch (expected) {
    case "int":
      return "a whole number";
    case "array":
      return "a list";
    case "string":
      return "text";
    case "boolean":
      return "true or false";
    case "object":
    case "record":
      return "an object of settings";
    default:
      return `a ${expected}`;
  }
}

function boundOf(bound: "at least" | "at most", limit: number, origin: string): string {
  switch (origin) {
    case "string":
      return `have ${bound} ${limit} characters`;
    case "array":
      return `have ${bound} ${limit} entries`;
    default:
      return `be ${bound} ${limit}`;
  }
}
