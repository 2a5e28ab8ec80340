// Between a gateway's thread and the threads that its SQLite runs on. One message is answered before the next is sent.
import type { StorePlan } from "../plan.ts";
import type { Value } from "../row.ts";
import type { Statement } from "./sql.ts";

export type Row = readonly (string | number | null)[];

/** One thing to do; each is atomic. The answer's type stands beside it. */
export type Ask =
  /** `Row[]` */
  | { readonly ask: "rows"; readonly statement: Statement }
  /** The first row for each of the lists of values: `(Row | null)[]` */
  | { readonly ask: "each"; readonly sql: string; readonly params: readonly (readonly Value[])[] }
  /** How many rows were changed: `number` */
  | { readonly ask: "change"; readonly statement: Statement }
  /** Adds a row, or finds what is in its way: {@link Inserted} */
  | { readonly ask: "insert"; readonly statement: Statement; readonly ways: readonly Statement[] }
  /** Replaces a row, or adds it, or finds what is in its way: {@link Inserted} */
  | {
      readonly ask: "put";
      readonly update: Statement;
      /** The row with its key, and before it whether it may be replaced. */
      readonly current: Statement;
      readonly insert: Statement;
      readonly ways: readonly Statement[];
    };

/** `last`: the value of the last field of the key. */
export type Inserted = { readonly last: Value } | { readonly inTheWay: Row };

export type OpenRequest = {
  readonly path: string;
  /** How long it waits for another process that writes. */
  readonly busyMs: number;
  /** Of the writer alone: what the database is to be brought up to date with. */
  readonly plans: readonly StorePlan[] | undefined;
};

export type ToWorker =
  | { readonly to: "open"; readonly request: OpenRequest }
  | { readonly to: "run"; readonly batch: readonly Ask[] }
  | { readonly to: "close" };

/** Why SQLite could not. `unfit`: trying again would not help. */
export type Failure = {
  readonly code: string;
  readonly message: string;
  readonly unfit: boolean;
};

/** One thing's answer, or why it alone was refused. */
export type Answer = { readonly value: unknown } | { readonly refused: string };

export type FromWorker =
  | { readonly from: "done"; readonly answers: readonly Answer[] }
  /** Nothing of it was kept. */
  | { readonly from: "failed"; readonly failure: Failure };
