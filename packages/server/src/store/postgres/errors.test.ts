import { expect, test } from "bun:test";
import { StoreUnavailable } from "../store-unavailable.ts";
import { asUnavailable, isOfKey, type Verdict, verdictOf } from "./errors.ts";

const said = (errno: string) => Object.assign(new Error(), { errno });

test("what the server said is judged by its SQLSTATE", () => {
  const states: Record<Verdict, readonly string[]> = {
    again: ["40001", "40P01", "55P03"],
    unique: ["23505"],
    refused: ["22021", "22003", "23514", "23502", "54000"],
    unfit: ["28P01", "28000", "3D000", "3F000", "42501", "08P01"],
    full: ["53300"],
    // Disk full, shut down, starting, cancelled, a replica, no such table: none is the caller's fault.
    away: ["53100", "57P01", "57P03", "57014", "25006", "42P01", "XX000", "08006"],
  };
  for (const [verdict, all] of Object.entries(states)) {
    for (const state of all) expect([state, verdictOf(said(state))]).toEqual([state, verdict]);
  }
});

test("without one it is away, unless it has not the TLS that was asked for", () => {
  const coded = (code: string) => Object.assign(new Error(), { code });
  for (const code of ["ERR_POSTGRES_CONNECTION_CLOSED", "ERR_POSTGRES_CONNECTION_REFUSED"]) {
    expect(verdictOf(coded(code))).toBe("away");
  }
  for (const code of ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "ERR_POSTGRES_TLS_NOT_AVAILABLE"]) {
    expect(verdictOf(coded(code))).toBe("unfit");
  }
  for (const odd of [undefined, null, "text", new Error(), { errno: -111 }]) {
    expect(verdictOf(odd)).toBe("away");
  }
});

test("of a unique index the key is told from the others", () => {
  expect(isOfKey({ constraint: "aldis_things_pkey" })).toBe(true);
  expect(isOfKey({ constraint: "aldis_things_pkey_0123456789ab" })).toBe(false);
  expect(isOfKey(undefined)).toBe(false);
});

test("what is away stays what it was, and tells no more than that", () => {
  const known = new StoreUnavailable("closed");
  expect(asUnavailable(known)).toBe(known);
  expect(asUnavailable(said("57P01")).message).toBe("PostgreSQL is away, or did not do it in time");
});
