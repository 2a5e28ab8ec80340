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
};

/** What is left of a session whose connection broke. */
export type ParkedSession = {
  readonly identity: Identity;
  readonly subscriptions: readonly ParkedSubscription[];
  /** As {@link Session.granted}. */
  readonly granted: ReadonlySet<string> | undefined;
};

/** A session as it stands: its positions are those that are proven to have reached the client. */
export function parkedForm(session: Session): ParkedSession {
  const subscriptions: ParkedSubscription[] = [];
  for (const subscription of session.subscriptions.values()) {
    const { name, standing: place, slow } = subscription;
    subscriptions.push({ name, place, slow });
  }
  // A session that breaks while it is being restored has the rest still to come.
  for (const waiting of session.restoring?.waiting ?? []) subscriptions.push(waiting);
  return { identity: session.identity, subscriptions, granted: session.granted };
}
