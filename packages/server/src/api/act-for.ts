import { accept, type Refusal, type Result, refuse } from "@aldis/protocol";
import type { Grant } from "../auth/api-keys.ts";
import type { Author } from "../tenant/records.ts";
import { parseTenantId, type TenantId } from "../tenant/tenant.ts";
import type { RegisteredTenants } from "../tenant/tenants.ts";

/** With it a key of the scope `tenants` acts for another tenant, on every route. */
export const TENANT_HEADER = "aldis-tenant";

const NOT_YOURS = refuse(
  "forbidden",
  "this key speaks for one tenant alone: `Aldis-Tenant` is another",
);
const NOT_THEIRS = refuse(
  "forbidden",
  "this token speaks for one tenant alone: `Aldis-Tenant` is another",
);
const SUSPENDED = refuse("forbidden", "the tenant is suspended");

/**
 * For whom a key acts, if that tenant is there. Attack: the header with a tenant's key; it is refused and not passed over, so that nobody believes to have acted for another
 * one. An operator may act for who is suspended: to look, and to mend.
 */
export function actFor(
  { tenants }: { readonly tenants: RegisteredTenants },
  grant: Grant,
  header: string | null,
): Result<Grant> {
  if (!grant.scopes.has("tenants")) {
    if (header !== null && header !== grant.tenant) return NOT_YOURS;
    const { status } = tenants.of(grant.tenant);
    if (status === "active") return accept(grant);
    // As a key that never was.
    return status === "suspended" ? SUSPENDED : refuse("unauthorized", "send a valid API key");
  }
  if (header === null || header === grant.tenant) return accept(grant);
  const tenant = parseTenantId(header);
  if (!tenant.ok) return tenant;
  if (tenants.of(tenant.value).status === "deleted") return refuse("not_found", "no such tenant");
  const acting = tenants.isRegistered(tenant.value) ? "registered" : "named";
  return accept({ ...grant, tenant: tenant.value, acting });
}

/** As whom the audit knows who holds a key. */
export function authorOf({ key, name, acting }: Grant): Author {
  return {
    key,
    ...(name !== undefined && { name }),
    ...(acting !== undefined && { acting: true as const }),
  };
}

/** A user's token with the header: as a tenant's key with it. Undefined: it names the token's own tenant, or is not there. */
export function refusalOfHeader(tenant: TenantId, header: string | null): Refusal | undefined {
  return header === null || header === tenant ? undefined : NOT_THEIRS;
}
