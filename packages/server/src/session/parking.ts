import type { ChannelName, ChannelPattern, SlowConsumerPolicy } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Place } from "../hub/subscription.ts";
import type { Session } from "./session.ts";

/** One subscription of a parked session, and where it stands. */
export type ParkedSubscription = {
  readonly name: ChannelName | ChannelPattern;
  readonly place: Place;
  /** What its client asked for (BP1). */
  readonly slow: SlowConsumerPolicy | undefined;
  /** A backend has ended it meanwhile: the client is told so when it comes back. */
  readonly ended?: true;
};

/** What is left of a session whose connection broke. */
export type ParkedSession = {
  readonly identity: Identity;
  readonly subscriptions: readonly ParkedSubscription[];
  /** As {@link Session.granted}. */
  readonly granted: ReadonlySet<string> | undefined;
  /** A backend has asked for a new token, and it has not come (AU9). */
  readonly tokenWanted?: true;
  /** How often it has been resumed, as far as its store counts: of two nodes that believe to have it, the one that got it later has. */
  readonly turn?: number;
};

/** The same session with its subscription to a channel ended, as a backend wants it; undefined: it has none, or has ended it. */
export function endedIn(session: ParkedSession, channel: ChannelName): ParkedSession | undefined {
  const { subscriptions, granted } = session;
  const held = subscriptions.some(({ name, ended }) => name === channel && ended !== true);
  if (!held && granted?.has(channel) !== true) return undefined;
  const kept = granted && new Set([...granted].filter((name) => name !== channel));
  return {
    ...session,
    subscriptions: subscriptions.map((one) =>
      one.name === channel ? { ...one, ended: true } : one,
    ),
    granted: kept,
  };
}

/** The same session, of which a new token is wanted; undefined: it is already, or its user is anonymous and has none to bring. */
export function wantingToken(session: ParkedSession): ParkedSession | undefined {
  if (session.tokenWanted || session.identity.anonymous) return undefined;
  return { ...session, tokenWanted: true };
}

/** A session as it stands: its positions are those that are proven to have reached the client. */
export function parkedForm(session: Session): ParkedSession {
  const subscriptions: ParkedSubscription[] = [];
  for (const subscription of session.subscriptions.values()) {
    const { name, standing: place, slow } = subscription;
    subscriptions.push({ name, place, slow });
  }
  // A session that breaks while it is being restored has the rest still to come.
  for (const { name, place, slow, ended } of session.restoring?.waiting ?? []) {
    subscriptions.push({ name, place, slow, ...(ended && { ended }) });
  }
  const { identity, granted, tokenWanted, turn } = session;
  return tokenWanted
    ? { identity, subscriptions, granted, turn, tokenWanted }
    : { identity, subscriptions, granted, turn };
}
