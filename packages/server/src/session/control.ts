// What a backend does to a connection: puts it into channels and out of them. Asked by the HTTP API.
import type { ChannelName } from "@aldis/protocol";
import { SUBSCRIBED_MS } from "../limits/channel-quota.ts";
import { joinChannel } from "./join.ts";
import { leaveChannel } from "./leave.ts";
import { forgetAsked, lastWanted, restoreFirst } from "./restore.ts";
import type { Session } from "./session.ts";
import { tellEnded, tellFailed } from "./tell-ended.ts";
import { tellJoined } from "./tell-joined.ts";

/**
 * Subscribes a session in its place, whatever its token allows; from then on it may have this channel, until one side
 * ends it. The client hears of it as of a resumed channel (SE3). Returns false when it has too many subscriptions already.
 */
export function subscribeFor(session: Session, channel: ChannelName): boolean {
  restoreFirst(session, channel, "restore");
  if (session.isSubscribed(channel)) {
    session.grantChannel(channel);
    return true;
  }
  const waiting = session.restoring?.waiting.length ?? 0;
  const held = session.subscriptions.size + waiting;
  if (held >= session.deps.options.subscriptionsMax) return false;
  session.grantChannel(channel);
  session.deps.channels.hold(session.identity.tenant, channel, SUBSCRIBED_MS);
  joinChannel(
    session,
    { channel, since: undefined, last: lastWanted(session, channel), slow: undefined },
    {
      done(joined) {
        if (!joined.live) return;
        tellJoined(session, channel, joined);
        session.deps.presence.join(session, channel);
      },
      failed: tellFailed(session, channel),
    },
  );
  return true;
}

/** Returns false when it was not subscribed. Its token may allow it to come back. */
export function unsubscribeFor(session: Session, channel: ChannelName): boolean {
  restoreFirst(session, channel, "restore");
  session.withdrawChannel(channel);
  // Attack: whoever is put out while a hook still thinks about letting them in.
  const isAsked = session.deps.inFlight.cancelAsking(session, channel);
  const subscription = session.subscriptions.get(channel);
  if (subscription === undefined) return forgetAsked(session, channel) || isAsked;
  leaveChannel(session, subscription, { stays: false });
  tellEnded(session, channel, "forbidden");
  return true;
}
