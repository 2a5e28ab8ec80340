import { QUOTA_NAMES, type Quotas } from "./tenants.ts";

/** With every quota named. */
export function quotasOf(given: Partial<Quotas>): Quotas {
  const named = QUOTA_NAMES.map((name) => [name, given[name]] as const);
  return Object.freeze(Object.fromEntries(named)) as Quotas;
}
