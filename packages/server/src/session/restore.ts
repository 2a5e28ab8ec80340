import {
  type ChannelName,
  isChannelPattern,
  namespaceOf,
  pushFrame,
  pushFrameOf,
  type Refusal,
  type StreamPosition,
} from "@aldis/protocol";
import type { Publication } from "../broker/broker.ts";
import { frameOf } from "../hub/frame.ts";
import { joinChannel } from "./join.ts";
import { joinPattern } from "./join-pattern.ts";
import { mayJoin } from "./may-join.ts";
import type { ParkedSubscription } from "./parking.ts";
import type { Session } from "./session.ts";

/** What of a resumed session is still to be restored, in order. */
export type RestorePlan = { readonly waiting: ParkedSubscription[] };

/**
 * Brings a resumed session back into its channels and sends what it missed (SE3). `positions` are the client's
 * own word, which goes before the gateway's (SE4).
 */
export function restore(
  session: Session,
  subscriptions: readonly ParkedSubscription[],
  positions: ReadonlyMap<string, StreamPosition> | undefined,
): void {
  const waiting = subscriptions.map(({ name, position }) => ({
    name,
    position: positions?.get(name) ?? position,
  }));
  session.restoring = { waiting };
  restoreMore(session);
}

/**
 * Goes on until all is restored or the peer takes no more; then the drain goes on. So a session with much to catch up on a
 * slow line holds one channel's history in memory, not all of them.
 */
export function restoreMore(session: Session): void {
  const plan = session.restoring;
  if (plan === undefined) return;
  while (!session.connection.congested) {
    const next = plan.waiting.shift();
    if (next === undefined) {
      session.restoring = undefined;
      return;
    }
    restoreOne(session, next);
  }
}

function restoreOne(session: Session, parked: ParkedSubscription): void {
  const { name } = parked;
  if (session.isSubscribed(name)) return;
  const refusal = mayJoin(session, name);
  if (refusal !== undefined) return tellEnded(session, name, refusal);
  const failed = () => tellEnded(session, name, { ok: false, error: "unavailable", message: "" });
  if (isChannelPattern(name)) {
    return joinPattern(session, name, {
      done: () =>
        session.connection.send(pushFrame("subscribe", { channel: name, recovered: false })),
      failed,
    });
  }
  const since = parked.position;
  const channel = name;
  joinChannel(
    session,
    { channel, since, last: lastWanted(session, channel) },
    {
      done({ recovered, publications, position }) {
        const offset = position.offset - publications.length;
        const stands = { channel, recovered, offset, epoch: position.epoch };
        session.connection.send(pushFrame("subscribe", stands));
        sendAll(session, publications);
        session.deps.presence.join(session, channel);
      },
      failed,
    },
  );
}

function lastWanted(session: Session, channel: ChannelName): number {
  const { tenant } = session.identity;
  return session.deps.namespaces.find(tenant, namespaceOf(channel)).options.lastOnSubscribe;
}

/** As messages, so that a client needs no more than it has for live ones; marked as not yet proven to be delivered. */
function sendAll(session: Session, publications: readonly Publication[]): void {
  for (const { json } of publications)
    session.connection.deliver(frameOf(pushFrameOf("message", json)));
}

function tellEnded(session: Session, channel: string, refusal: Refusal): void {
  session.connection.send(pushFrame("unsubscribe", { channel, code: refusal.error }));
}
