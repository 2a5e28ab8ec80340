import { expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { createTenantTallies } from "../observe/tenant-tallies.ts";
import { quotasOf } from "../tenant/quotas-of.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Quotas, TenantState } from "../tenant/tenants.ts";
import { TenantAccounts } from "./tenant-accounts.ts";

const [ACME, GLOBEX] = ["acme", "globex"] as TenantId[] as [TenantId, TenantId];

function open(quotas: Partial<Quotas>, max = 10) {
  const clock = createFakeClock();
  const refused: string[] = [];
  const states = new Map<TenantId, TenantState>();
  const listeners: ((tenant: TenantId) => void)[] = [];
  let uncounted = 0;
  const accounts = new TenantAccounts(
    {
      tenants: {
        of: (tenant) => states.get(tenant) ?? { status: "active", quotas: quotasOf(quotas) },
        onChange: (listener) => void listeners.push(listener),
      },
      tallies: createTenantTallies({ max: 10, first: [] }),
      onRefused: ({ tenant }, quota) => refused.push(`${tenant} ${quota}`),
      onUncounted: () => uncounted++,
    },
    max,
  );
  return {
    ...{ accounts, clock, refused },
    uncounted: () => uncounted,
    now: () => clock.monotonicMs(),
    set(tenant: TenantId, changed: Partial<Quotas>) {
      states.set(tenant, { status: "active", quotas: quotasOf(changed) });
      for (const listener of listeners) listener(tenant);
    },
  };
}

test("[QU3] a second's worth may come at once; the refusal names tenant, quota and number, and says how long to wait", () => {
  const { accounts, now, clock, refused } = open({ messagesPerSecond: 5 });
  const acme = accounts.of(ACME);
  for (let n = 0; n < 5; n++) expect(acme.take(1, 100, now())).toBeUndefined();
  expect(acme.take(1, 100, now())).toEqual({
    ok: false,
    error: "rate_limited",
    message: "tenant acme is at its quota: messagesPerSecond 5",
    retryAfterMs: 200,
  });
  expect(refused).toEqual(["acme messagesPerSecond"]);
  // P2: what one does is nothing to another.
  expect(accounts.of(GLOBEX).take(1, 100, now())).toBeUndefined();
  clock.advance(200);
  expect(acme.take(1, 100, now())).toBeUndefined();
});

test("[QU3] what is refused for one rate is not taken from the other, and is not counted as sent", () => {
  const { accounts, now, clock } = open({ messagesPerSecond: 10, bytesPerSecond: 1_000 });
  const acme = accounts.of(ACME);
  expect(acme.take(1, 1_000, now())).toBeUndefined();
  for (let n = 0; n < 50; n++)
    expect(acme.take(1, 500, now())?.message).toContain("bytesPerSecond");
  expect([acme.messagesIn, acme.bytesIn, acme.refused]).toEqual([1, 1_000, 50]);
  clock.advance(1_000);
  expect(acme.take(9, 1, now())).toBeUndefined();
});

test("[QU1] quotas that are changed hold at once, and what is owed is owed still", () => {
  const { accounts, now, set } = open({});
  const acme = accounts.of(ACME);
  for (let n = 0; n < 1_000; n++) expect(acme.take(1, 1, now())).toBeUndefined();
  set(ACME, { messagesPerSecond: 2 });
  expect([0, 1, 2].map(() => acme.take(1, 1, now())?.error)).toEqual([
    undefined,
    undefined,
    "rate_limited",
  ]);
  set(ACME, {});
  expect(acme.take(1, 1, now())).toBeUndefined();
  set(ACME, { messagesPerSecond: 2 });
  expect(acme.take(1, 1, now())?.error).toBe("rate_limited");
});

test("[P3] beyond their number tenants share one account without quotas, which is counted", () => {
  const { accounts, now, uncounted } = open({ messagesPerSecond: 1 }, 2);
  accounts.of(ACME);
  accounts.of(GLOBEX);
  const third = accounts.of("third" as TenantId);
  for (let n = 0; n < 9; n++) expect(third.take(1, 1, now())).toBeUndefined();
  expect([accounts.size, uncounted()]).toEqual([2, 1]);
  accounts.forget(accounts.of(ACME));
  expect(accounts.of("third" as TenantId)).not.toBe(third);
});

test("[QU7] connections: how many, the most, and for how long", () => {
  const { accounts, now, clock } = open({});
  const acme = accounts.of(ACME);
  clock.advance(10_000);
  acme.joined(now());
  clock.advance(1_000);
  acme.joined(now());
  clock.advance(1_000);
  acme.left(now());
  clock.advance(1_000);
  acme.time(now());
  expect([acme.connections, acme.connectionsPeak, acme.connectionMs]).toEqual([1, 2, 4_000]);
  acme.startPeak();
  expect(acme.connectionsPeak).toBe(1);
});
