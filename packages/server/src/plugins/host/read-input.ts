import { FieldError, type Fields, refuse } from "@aldis/protocol";
import type { z } from "zod";
import type { InputReader } from "../plugin-action.ts";

const PROBLEMS_TOLD = 5;
const MESSAGE_MAX_LENGTH = 500;

/** How an action's `data` is read. What it gives throws a `FieldError` for what the schema does not take. */
export function readerOf<I>(input: InputReader<I>): (data: Fields) => I {
  if (typeof input === "function") return input;
  return (data) => {
    const parsed = input.safeParse(data);
    if (parsed.success) return parsed.data;
    throw new FieldError(refuse("bad_request", problemsIn(parsed.error)));
  };
}

/** Bounded: names in it are the sender's. */
function problemsIn({ issues }: z.ZodError): string {
  const told = issues.slice(0, PROBLEMS_TOLD).map(({ path, message }) => {
    return path.length === 0 ? message : `\`${path.join(".")}\`: ${message}`;
  });
  return told.join("; ").slice(0, MESSAGE_MAX_LENGTH);
}
