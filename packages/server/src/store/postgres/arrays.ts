import type { Value } from "../row.ts";

/** Quotes and backslashes would end a quoted element. */
const SPECIAL = /["\\]/g;

/** Values of one column as text of a PostgreSQL array: many rows are one parameter for each column. */
export function arrayOf(values: readonly Value[]): string {
  let text = "{";
  for (let n = 0; n < values.length; n++) {
    const value = values[n];
    if (n > 0) text += ",";
    if (value === null || value === undefined) text += "NULL";
    else if (typeof value === "number") text += value;
    else text += `"${value.replace(SPECIAL, "\\$&")}"`;
  }
  return `${text}}`;
}
