import { isChannelPattern } from "@aldis/protocol";
import type { Subscription } from "../hub/subscription.ts";
import type { TenantId } from "../tenant/tenant.ts";
import { leaveChannel } from "./leave.ts";
import { mayJoin } from "./may-join.ts";
import type { Session } from "./session.ts";
import type { SessionDeps } from "./session-deps.ts";
import { tellEnded } from "./tell-ended.ts";

/** A tenant's namespaces have changed: its sessions are held to what holds now. O(its subscriptions), in one turn. */
export function reviewTenant(deps: SessionDeps, tenant: TenantId): void {
  for (const session of [...deps.live.ofTenantFrom(tenant, 0)]) reviewSubscriptions(session);
}

/** Ends the subscriptions that are no longer allowed (AU6, SU7), and has the others present or not as the namespace says. */
export function reviewSubscriptions(session: Session): void {
  for (const subscription of [...session.subscriptions.values()]) {
    const refusal = mayJoin(session, subscription.name);
    if (refusal === undefined) {
      reviewPresence(session, subscription);
      continue;
    }
    leaveChannel(session, subscription, { stays: false });
    tellEnded(session, subscription.name, refusal.error);
  }
}

function reviewPresence(session: Session, { name, channel }: Subscription): void {
  const { presence } = session.deps;
  if (isChannelPattern(name) || channel === undefined) return;
  if (presence.isKept(session.identity.tenant, name)) presence.join(session, name);
  else presence.leave(session, name, { stays: false });
}
