import type { Records } from "../store/store.ts";
import { CHANGE_LOG, type ChangeRecord, DIRECTORY } from "./records.ts";
import type { TenantId } from "./tenant.ts";

export type AuditPage = {
  /** Of this tenant alone. */
  readonly tenant: TenantId | undefined;
  /** Older than this one. */
  readonly below: number | undefined;
  readonly limit: number;
};

/** Who changed what about tenants, the latest first. */
export type Audit = { list(page: AuditPage): Promise<readonly ChangeRecord[]> };

export function createAudit(changes: Records<ChangeRecord>): Audit {
  return {
    list({ tenant, below, limit }) {
      const range = { below, order: "descending", limit } as const;
      if (tenant !== undefined) {
        return changes.list(DIRECTORY, { ...range, index: "by_tenant", same: { about: tenant } });
      }
      return changes.list(DIRECTORY, { ...range, index: "key", same: { log: CHANGE_LOG } });
    },
  };
}
