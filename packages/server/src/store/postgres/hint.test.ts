import { expect, test } from "bun:test";
import { hintFor } from "./hint.ts";

test("whom the server will not have is told what to do, by what it said", () => {
  for (const [errno, words] of [
    ["28P01", "password"],
    ["28000", "pg_hba.conf"],
    ["3D000", "CREATE DATABASE"],
    ["3F000", "CREATE SCHEMA"],
    ["42501", "CREATE"],
    ["08P01", "prepare=false"],
  ] as const) {
    expect(hintFor(Object.assign(new Error(), { errno }))).toContain(words);
  }
  const code = "ERR_POSTGRES_TLS_NOT_AVAILABLE";
  expect(hintFor(Object.assign(new Error(), { code }))).toContain("sslmode");
  for (const odd of [new Error(), undefined, { errno: 5 }, { errno: "XX000" }]) {
    expect(hintFor(odd)).toBe("");
  }
});
