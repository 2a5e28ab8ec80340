import type { ChannelPattern } from "@aldis/protocol";
import { type Continuation, whenReady } from "../awaitable.ts";
import { Subscription } from "../hub/subscription.ts";
import { keyPrefix } from "../tenant/tenant.ts";
import type { Session } from "./session.ts";

/** Subscribes a session to all channels that a pattern matches, from now on. */
export function joinPattern(
  session: Session,
  name: ChannelPattern,
  then: Continuation<void>,
): void {
  if (session.isSubscribed(name)) return then.done();
  const prefix = keyPrefix(session.identity.tenant, name);
  const subscription = new Subscription(session.connection, name, 0);
  session.addSubscription(subscription);
  whenReady(session.deps.hub.joinPattern(prefix, subscription), then);
}
