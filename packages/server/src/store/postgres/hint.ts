import { stateOf } from "./errors.ts";

/** What the operator does about it, by SQLSTATE or its class. */
const HINTS: Readonly<Record<string, string>> = {
  "28": "look at user and password in store.url, and at pg_hba.conf of the server",
  "3D": "make it with `CREATE DATABASE … OWNER …`, or mend store.url",
  "3F": "make it with `CREATE SCHEMA … AUTHORIZATION …`, or mend `schema=` in store.url",
  "42501":
    "the user of store.url has to own the database, or be given `CREATE` and `USAGE` on its schema",
  "08P01": "behind a pooler add `prepare=false` to store.url",
};

/** Stands after what the server said when it will not have us: what to do; empty where nothing is known. */
export function hintFor(error: unknown): string {
  const state = stateOf(error) ?? "";
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const hint =
    code === "ERR_POSTGRES_TLS_NOT_AVAILABLE"
      ? "turn on `ssl` in the server, or take `sslmode` out of store.url where the way to it is safe"
      : (HINTS[state] ?? HINTS[state.slice(0, 2)]);
  return hint === undefined ? "" : `; ${hint}`;
}
