import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import type { TenantId } from "../plugins/index.ts";
import { Allowed } from "./allowed.ts";

const ACME = "acme" as TenantId;
const FOREVER = { at: 1, forMs: 1e9 };

test("P3 [BC8]: no more is remembered than there may be, of those who asked last; gone users take none of it", () => {
  const clock = createFakeClock();
  const allowed = new Allowed(clock, 4);
  for (const user of ["ann", "bob"]) {
    for (const what of ["s1", "s2"]) allowed.add(ACME, user, what, FOREVER);
  }
  allowed.add(ACME, "ann", "s3", FOREVER);
  expect(allowed.size).toBe(4);
  expect(["s1", "s2"].map((what) => allowed.has(ACME, "bob", what, 1))).toEqual([false, true]);
  expect(["s1", "s2", "s3"].every((what) => allowed.has(ACME, "ann", what, 1))).toBe(true);
  for (let n = 0; n < 1_000; n++) allowed.add(ACME, "mallory", `s${n}`, FOREVER);
  expect(allowed.size).toBe(4);
  allowed.forget(ACME, "mallory");
  allowed.forget(ACME, "nobody");
  expect(allowed.size).toBe(0);
});

test("P2 [BC8]: what one user, tenant or backend has allowed holds for no other, and for no longer", () => {
  const clock = createFakeClock();
  const allowed = new Allowed(clock, 10);
  allowed.add(ACME, "ann", "s1", { at: 1, forMs: 1_000 });
  expect(allowed.has(ACME, "ann", "s1", 1)).toBe(true);
  expect(allowed.has(ACME, "ann", "s1", 2)).toBe(false);
  expect(allowed.has(ACME, "ann", "p1", 1)).toBe(false);
  expect(allowed.has("other" as TenantId, "ann", "s1", 1)).toBe(false);
  clock.setWallClock(0);
  expect(allowed.has(ACME, "ann", "s1", 1)).toBe(true);
  clock.advance(1_000);
  expect(allowed.has(ACME, "ann", "s1", 1)).toBe(false);
});
