// Who has changed what: written here for features, beside what the follower logs, and read by operators.
import type { Records } from "../store/store.ts";
import type { Clock } from "../time/clock.ts";
import type { ChangeRates } from "./change-rates.ts";
import { type Author, CHANGE_LOG, type ChangeRecord, DIRECTORY } from "./records.ts";
import type { TenantId } from "./tenant.ts";

export type AuditPage = {
  /** Of this tenant alone. */
  readonly tenant: TenantId | undefined;
  /** Older than this one. */
  readonly below: number | undefined;
  readonly limit: number;
};

/** What is changed, as the audit says it. Never a secret, nor what may hold one, as a URL may. */
export type AuditEntry = {
  readonly by: Author;
  /** Lower case words with dots between: `webhook.added`. */
  readonly action: string;
  /** What is changed, by its id: at most {@link SUBJECT_MAX_LENGTH} UTF-16 units. */
  readonly subject: string;
  /** For people; what is longer than {@link DETAIL_MAX_LENGTH} as JSON is left out. */
  readonly detail?: object | undefined;
};

/** Who changed what about tenants, the latest first. */
export type Audit = {
  list(page: AuditPage): Promise<readonly ChangeRecord[]>;
  /**
   * Keeps an entry; called before the change is made, so that none is without its entry, whatever dies: of one that then fails there may be an entry alone. Rejects, and nothing is to be
   * changed then, with `Unavailable`, and with the refusal `rate_limited` when the tenant changes too much at a time.
   */
  note(tenant: TenantId, entry: AuditEntry): Promise<void>;
};

export type AuditDeps = {
  readonly clock: Clock;
  readonly changes: Records<ChangeRecord>;
  readonly rates: ChangeRates;
};

const ACTION = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;
export const SUBJECT_MAX_LENGTH = 200;
export const DETAIL_MAX_LENGTH = 2_000;
/** No node reads it again: who changes it tells them. */
const KIND = "setting";

export function createAudit({ clock, changes, rates }: AuditDeps): Audit {
  return {
    list({ tenant, below, limit }) {
      const range = { below, order: "descending", limit } as const;
      if (tenant !== undefined) {
        return changes.list(DIRECTORY, { ...range, index: "by_tenant", same: { about: tenant } });
      }
      return changes.list(DIRECTORY, { ...range, index: "key", same: { log: CHANGE_LOG } });
    },
    async note(tenant, { by, action, subject, detail }) {
      if (!ACTION.test(action)) throw new TypeError(`no action of the audit: ${action}`);
      if (subject.length > SUBJECT_MAX_LENGTH) throw new TypeError("a subject is shorter");
      rates.take(tenant, by);
      await changes.append(DIRECTORY, {
        ...{ log: CHANGE_LOG, seq: 0, at: clock.nowMs(), kind: KIND, about: tenant },
        ...{ subject, action, by, detail: shortened(detail) },
      });
    },
  };
}

function shortened(detail: object | undefined): object | undefined {
  const isLong = detail !== undefined && JSON.stringify(detail).length > DETAIL_MAX_LENGTH;
  return isLong ? { leftOut: true } : detail;
}
