import { expect, test } from "bun:test";
import { parseTenantId, type TenantId } from "../tenant/tenant.ts";
import { createTenantTallies, OTHER_TENANTS } from "./tenant-tallies.ts";

const tenants = (...names: string[]) => names as TenantId[];

function tallies(max: number, ...first: string[]) {
  return createTenantTallies({ max, first: tenants(...first) });
}

const labels = (of: ReturnType<typeof tallies>) => [...of.entries()].map(([label]) => label);

test("P3: who comes when there is no more room is counted with the others", () => {
  const counts = tallies(2);
  for (const tenant of tenants("a", "b", "c", "d", "a")) counts.of(tenant).commands++;
  expect([...counts.entries()].map(([label, { commands }]) => [label, commands])).toEqual([
    ["a", 2],
    ["b", 1],
    [OTHER_TENANTS, 2],
  ]);
});

test("P3: invented tenants do not take the place of those that are configured", () => {
  const counts = tallies(2, "real", "real", "too");
  for (const tenant of tenants("fake", "more")) counts.of(tenant).commands++;
  expect(labels(counts)).toEqual(["real", "too", OTHER_TENANTS]);
  expect(labels(tallies(1, "real", "too"))).toEqual(["real", OTHER_TENANTS]);
  expect(labels(tallies(0, "real"))).toEqual([OTHER_TENANTS]);
});

test("[P2] no tenant can be called like the label of the others", () => {
  expect(parseTenantId(OTHER_TENANTS).ok).toBe(false);
});
