import { isChannelPattern } from "@aldis/protocol";
import type { Subscription } from "../hub/subscription.ts";
import { keyPrefix } from "../tenant/tenant.ts";
import type { Session } from "./session.ts";

/** Ends one subscription, with all that hangs on it. `stays`: the connection broke and may be back in a moment. */
export function leaveChannel(
  session: Session,
  subscription: Subscription,
  how: { readonly stays: boolean },
): void {
  const { hub, presence, hooks } = session.deps;
  const { name } = subscription;
  session.dropSubscription(name);
  subscription.lane?.close();
  if (isChannelPattern(name)) {
    hub.leavePattern(keyPrefix(session.identity.tenant, name), subscription);
    hooks.unsubscribed?.(session, name);
    return;
  }
  hub.leave(subscription);
  presence.leave(session, name, how);
  hooks.unsubscribed?.(session, name);
}

export function leaveAll(session: Session, how: { readonly stays: boolean }): void {
  for (const subscription of [...session.subscriptions.values()]) {
    leaveChannel(session, subscription, how);
  }
}
