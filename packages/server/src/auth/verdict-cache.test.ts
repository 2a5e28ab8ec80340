import { expect, test } from "bun:test";
import { DEFAULT_TENANT } from "../tenant/tenant.ts";
import { NO_CAPABILITIES } from "./capabilities.ts";
import type { Identity } from "./identity.ts";
import { createFakeClock } from "./test/fake-clock.ts";
import { createVerdictCache } from "./verdict-cache.ts";

function user(userId: string): Identity {
  const profile = { name: undefined, email: undefined, avatar: undefined };
  return {
    tenant: DEFAULT_TENANT,
    userId,
    ...profile,
    anonymous: false,
    capabilities: NO_CAPABILITIES,
    expiresAtMs: undefined,
  };
}

test("holds `max` verdicts and drops the oldest beyond that", () => {
  const cache = createVerdictCache(createFakeClock(), { max: 2, keepMs: 1_000 });
  for (const name of ["a", "b", "c"]) cache.set(name, user(name));
  expect(["a", "b", "c"].map((name) => cache.get(name)?.userId)).toEqual([undefined, "b", "c"]);
});

test("a verdict set twice has one place, that of the first time", () => {
  const cache = createVerdictCache(createFakeClock(), { max: 2, keepMs: 1_000 });
  for (const name of ["a", "b", "a", "c"]) cache.set(name, user(name));
  expect(["a", "b", "c"].map((name) => cache.get(name)?.userId)).toEqual([undefined, "b", "c"]);
});

test("verdicts that have ended make room first", () => {
  const clock = createFakeClock();
  const cache = createVerdictCache(clock, { max: 2, keepMs: 1_000 });
  cache.set("a", user("a"));
  clock.advance(500);
  cache.set("b", user("b"));
  clock.advance(500);
  cache.set("a", user("a"));
  expect(["a", "b"].map((name) => cache.get(name)?.userId)).toEqual(["a", "b"]);
  clock.advance(500);
  cache.set("c", user("c"));
  expect(["a", "b", "c"].map((name) => cache.get(name)?.userId)).toEqual(["a", undefined, "c"]);
});

test("a verdict ends after `keepMs`, whatever the wall clock does", () => {
  const clock = createFakeClock();
  const cache = createVerdictCache(clock, { max: 2, keepMs: 1_000 });
  cache.set("a", user("a"));
  clock.setWall(0);
  clock.advance(999);
  expect(cache.get("a")?.userId).toBe("a");
  clock.advance(1);
  expect(cache.get("a")).toBeUndefined();
});

test("`max` 0 holds nothing", () => {
  const cache = createVerdictCache(createFakeClock(), { max: 0, keepMs: 1_000 });
  cache.set("a", user("a"));
  expect(cache.get("a")).toBeUndefined();
});
