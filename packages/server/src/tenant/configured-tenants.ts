import type { Config } from "../config/schema.ts";
import { QUOTA_NAMES, type Quotas, type TenantState, type Tenants } from "./tenants.ts";

/** The tenants of a gateway that keeps no directory of them: all there are, with the quotas of the configuration. */
export function configuredTenants(quotas: Config["tenants"]["quotas"]): Tenants {
  const state: TenantState = Object.freeze({ status: "active", quotas: quotasOf(quotas) });
  return { of: () => state, onChange() {} };
}

/** The same with every quota named. */
export function quotasOf(given: Partial<Quotas>): Quotas {
  const named = QUOTA_NAMES.map((name) => [name, given[name]] as const);
  return Object.freeze(Object.fromEntries(named)) as Quotas;
}
