import type { Refusal } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Counted } from "../limits/connection-counts.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import { overQuota, type TenantAccount } from "../limits/tenant-account.ts";
import { countOne } from "../observe/counters.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { Session } from "./session.ts";

/** How many connected sessions there may be; 0: any number. */
export type Ceilings = { readonly perTenant: number; readonly perUser: number };

/** The lower of what the configuration and the tenant's quota allow. */
export function ofTenant(
  { perTenant }: Ceilings,
  { quotas }: Pick<TenantAccount, "quotas">,
): { readonly max: number; readonly isQuota: boolean } {
  const quota = quotas.connections;
  if (quota === undefined || (perTenant > 0 && perTenant < quota)) {
    return { max: perTenant, isQuota: false };
  }
  return { max: quota, isQuota: true };
}

/**
 * Which ceiling leaves no room for one more session of `identity` (LI4, QU2). A session that was taken over has left its place
 * by then, and a parked one has none. Anonymous users are as many as they like to be: for them the tenant's ceiling holds.
 */
export function fullCeiling(
  live: LiveSessions,
  ceilings: Ceilings,
  { tenant, userId, anonymous }: Identity,
  account: Pick<TenantAccount, "quotas">,
): "user" | "tenant" | undefined {
  const { perUser } = ceilings;
  if (perUser > 0 && !anonymous && live.countOfUser(tenant, userId) >= perUser) return "user";
  const { max } = ofTenant(ceilings, account);
  return max > 0 && live.countOfTenant(tenant) >= max ? "tenant" : undefined;
}

/** When a client that found no room may look again: places become free one by one, at no known time. */
const FULL_RETRY_MS = 30_000;

/** Says so, and closes (LI4, QU2). */
export function closeForCeiling(
  session: Session,
  whose: "user" | "tenant",
  account: TenantAccount,
): void {
  session.closeFor("tooManyConnections", refusalOfCeiling(session, whose, account));
}

function refusalOfCeiling(
  { deps }: Session,
  whose: "user" | "tenant",
  account: TenantAccount,
): Refusal {
  const { max, isQuota } = ofTenant(deps.ceilings, account);
  if (whose === "user" || !isQuota) {
    const message = `this ${whose} has as many connections as it may`;
    return refuseFor("limit_reached", message, FULL_RETRY_MS);
  }
  account.noteRefused("connections");
  const message = overQuota(account.tenant, "connections", max);
  return refuseFor("quota_exceeded", message, FULL_RETRY_MS);
}

/** How many connected sessions somebody has here. */
export function countOf(live: LiveSessions, { tenant, userId }: Counted): number {
  return userId === undefined ? live.countOfTenant(tenant) : live.countOfUser(tenant, userId);
}

/** Over all nodes there are too many: so many of the newest here are closed. O(those that are here). */
export function closeNewest(live: LiveSessions, { tenant, userId }: Counted, count: number): void {
  const here = userId === undefined ? live.ofTenantFrom(tenant, 0) : live.byUser(tenant, userId);
  const newest = [...here].sort((a, b) => b.ordinal - a.ordinal).slice(0, count);
  const whose = userId === undefined ? "tenant" : "user";
  for (const session of newest) {
    countOne(session.deps.counters.sessionsOverCeiling, whose);
    session.deps.refusals.note(`${whose}_full`);
    closeForCeiling(session, whose, session.deps.accounts.of(tenant));
  }
}
