import type { Identity } from "../auth/identity.ts";
import type { LiveSessions } from "./live-sessions.ts";

/** How many connected sessions there may be; 0: any number. */
export type Ceilings = { readonly perTenant: number; readonly perUser: number };

/**
 * Which ceiling leaves no room for one more session of `identity` (LI4). A session that was taken over has left its place
 * by then, and a parked one has none. Anonymous users are as many as they like to be: for them the tenant's ceiling holds.
 */
export function fullCeiling(
  live: LiveSessions,
  { perTenant, perUser }: Ceilings,
  { tenant, userId, anonymous }: Identity,
): "user" | "tenant" | undefined {
  if (perUser > 0 && !anonymous && live.countOfUser(tenant, userId) >= perUser) return "user";
  if (perTenant > 0 && live.countOfTenant(tenant) >= perTenant) return "tenant";
  return undefined;
}
