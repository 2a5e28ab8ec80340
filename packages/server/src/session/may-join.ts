import {
  type ChannelName,
  type ChannelPattern,
  isChannelPattern,
  namespaceOf,
  type Refusal,
  refuse,
} from "@aldis/protocol";
import { allowsPattern } from "../auth/capabilities.ts";
import { FORBIDDEN, permits } from "../channel/permissions.ts";
import type { Session } from "./session.ts";

/** Why a session may not subscribe to a channel or pattern; undefined: it may. */
export function mayJoin(session: Session, name: ChannelName | ChannelPattern): Refusal | undefined {
  const { identity, deps } = session;
  const namespace = deps.namespaces.find(identity.tenant, namespaceOf(name));
  const isNew = !session.isSubscribed(name);
  const held = session.subscriptions.size + (session.restoring?.waiting.length ?? 0);
  if (isNew && held >= deps.options.subscriptionsMax) {
    return refuse("limit_reached", "too many subscriptions on this connection");
  }
  if (session.granted?.has(name) === true) return undefined;
  if (isChannelPattern(name)) {
    // A pattern reaches channels that nobody has named: only a token that covers all of them gives that.
    const covered = allowsPattern(identity.capabilities, name.slice(0, -1), "subscribe");
    return namespace.options.wildcard && covered ? undefined : FORBIDDEN;
  }
  const allowed = permits({ identity, namespace, subscribed: false }, "subscribe", name);
  return allowed ? undefined : FORBIDDEN;
}
