import { expect, test } from "bun:test";
import { AT_ONCE } from "../kinds.ts";
import type { JobRecord } from "./records.ts";
import { pausedUntil, readyAt, woken } from "./states.ts";

const NOW = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

function pausedFor(waitMs: number): JobRecord {
  const name = { kind: "test.work", owner: "acme", key: "one", failures: 3 };
  return { ...name, ...pausedUntil(NOW + waitMs, waitMs) };
}

test("who waits is not woken, by a clock that differs by some seconds neither, unless by `now`", () => {
  const record = pausedFor(20_000);
  for (const nowMs of [NOW, NOW + 19_999, NOW - 9_000]) {
    expect(woken(record, nowMs, nowMs)).toBeUndefined();
  }
  expect(woken(record, AT_ONCE, NOW)?.change).toEqual(readyAt("acme", NOW));
});

test("faults 13: who waits for longer than it was to, as the clock was set back, is woken", () => {
  const record = pausedFor(20_000);
  const nowMs = NOW - HOUR_MS;
  expect(woken(record, nowMs, nowMs)?.change).toEqual(readyAt("acme", nowMs));
});
