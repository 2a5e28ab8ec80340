import type { Database } from "bun:sqlite";
import type { Value } from "../row.ts";
import type { Row } from "./messages.ts";

/** Runs a statement that is not needed again. One that were left to the garbage collector would keep the file open after its `close`. */
export function askOnce(db: Database, sql: string, ...params: readonly Value[]): Row[] {
  using statement = db.prepare(sql);
  return statement.values(...params) as Row[];
}
