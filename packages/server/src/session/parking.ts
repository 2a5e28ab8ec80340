import type { ChannelName, ChannelPattern, StreamPosition } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Session } from "./session.ts";

/** One subscription of a parked session; patterns have no position, they are live only. */
export type ParkedSubscription = {
  readonly name: ChannelName | ChannelPattern;
  readonly position: StreamPosition | undefined;
};

/** What is left of a session whose connection broke. */
export type ParkedSession = {
  readonly identity: Identity;
  readonly subscriptions: readonly ParkedSubscription[];
};

/** A session as it stands: its positions are those that are proven to have reached the client. */
export function parkedForm(session: Session): ParkedSession {
  const subscriptions: ParkedSubscription[] = [];
  for (const { name, channel, provenOffset } of session.subscriptions.values()) {
    const position =
      channel === undefined ? undefined : { offset: provenOffset, epoch: channel.epoch };
    subscriptions.push({ name, position });
  }
  // A session that breaks while it is being restored has the rest still to come.
  for (const waiting of session.restoring?.waiting ?? []) subscriptions.push(waiting);
  return { identity: session.identity, subscriptions };
}
