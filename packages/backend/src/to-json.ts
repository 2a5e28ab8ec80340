import { messageOf, misuse } from "./errors.ts";

/** Throws an `AldisError` for what JSON does not know: cycles, and integers of the type `bigint`. */
export function toJson(given: unknown): string {
  try {
    return JSON.stringify(given);
  } catch (cause) {
    throw misuse(`no JSON can be made of it: ${messageOf(cause)}`, cause);
  }
}
