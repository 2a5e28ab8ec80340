import { describe, expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { createCounters } from "../observe/counters.ts";
import { parseTenantId, type TenantId } from "../tenant/tenant.ts";
import { ALL_TENANTS } from "../tenant/tenants.ts";
import { LateRefusals } from "./late-refusals.ts";
import { TenantAccounts } from "./tenant-accounts.ts";

function bench(options: { heldMax?: number; delayMs?: number } = {}) {
  const clock = createFakeClock();
  const counters = createCounters();
  const late = new LateRefusals(
    { clock, counters },
    { atOncePerSecond: 2, delayMs: 1_000, heldMax: 100, ...options },
  );
  const accounts = new TenantAccounts(
    {
      ...{ tenants: ALL_TENANTS, tallies: counters.byTenant },
      onRefused: () => {},
      onUncounted: () => {},
    },
    100,
  );
  const told: string[] = [];
  /** One refusal; true: it waits. */
  const refuse = (name: string, tenant = "acme") => {
    const waiting = { onLateDue: () => void told.push(name) };
    return late.delay(waiting, accounts.of(idOf(tenant)), clock.monotonicMs());
  };
  return { clock, counters, late, accounts, told, refuse };
}

function idOf(name: string): TenantId {
  const parsed = parseTenantId(name);
  return parsed.ok ? parsed.value : expect.unreachable();
}

describe("[QU8] a tenant with too many refusals", () => {
  test("is told so many a second at once, and the rest later, in order", () => {
    const { clock, counters, told, refuse } = bench();
    expect(["a", "b", "c", "d"].map((name) => refuse(name))).toEqual([false, false, true, true]);
    clock.advance(999);
    expect(told).toEqual([]);
    clock.advance(1);
    expect(told).toEqual(["c", "d"]);
    expect(counters).toMatchObject({ refusalsDelayed: 2, refusalsNotDelayed: 0 });
    expect(clock.pending).toBe(0);
    clock.advance(1_000);
    expect([refuse("e"), refuse("f"), refuse("g")]).toEqual([false, false, true]);
  });

  test("makes no other tenant wait", () => {
    const { refuse } = bench();
    for (let n = 0; n < 50; n++) refuse("noisy");
    expect(refuse("quiet", "globex")).toBe(false);
  });

  test("P3: those that are due together are told a few at a time", () => {
    const { clock, told, refuse } = bench();
    for (let n = 0; n < 12; n++) refuse(String(n));
    clock.advance(1_000);
    expect(told.length).toBe(4);
    clock.advance(2);
    expect(told.length).toBe(8);
    clock.advance(2);
    expect(told.length).toBe(10);
    expect(clock.pending).toBe(0);
  });

  test("one who waits already waits once, whatever else is refused it", () => {
    const { clock, counters, late, accounts } = bench({ heldMax: 1 });
    let told = 0;
    const connection = { onLateDue: () => void told++ };
    const account = accounts.of(idOf("acme"));
    const answers = [1, 2, 3, 4].map(() => late.delay(connection, account, 0));
    expect(answers).toEqual([false, false, true, true]);
    clock.advance(1_000);
    expect([told, late.size, counters.refusalsNotDelayed]).toEqual([1, 0, 0]);
  });

  test("at `heldMax` the next is told at once, and counted", () => {
    const { counters, late, refuse } = bench({ heldMax: 3 });
    const answers = ["a", "b", "c", "d", "e", "f"].map((name) => refuse(name));
    expect(answers).toEqual([false, false, true, true, true, false]);
    expect([late.size, counters.refusalsNotDelayed]).toEqual([3, 1]);
  });

  test("with `delayMs` 0 all are told at once", () => {
    const { clock, refuse } = bench({ delayMs: 0 });
    expect(["a", "b", "c", "d"].map((name) => refuse(name))).not.toContain(true);
    expect(clock.pending).toBe(0);
  });

  test("closing tells all that wait, and makes none wait after it", () => {
    const { clock, late, told, refuse } = bench();
    for (const name of ["a", "b", "c", "d"]) refuse(name);
    late.close();
    expect([told, clock.pending, refuse("e")]).toEqual([["c", "d"], 0, false]);
  });
});
