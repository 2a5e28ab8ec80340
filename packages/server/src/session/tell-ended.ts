import { type ErrorCode, pushFrame } from "@aldis/protocol";
import type { FailedJoin } from "./join.ts";
import type { Session } from "./session.ts";

/** SU7: the gateway has ended a subscription; `code` says why. */
export function tellEnded(session: Session, channel: string, code: ErrorCode): void {
  session.hasEndedSome = true;
  session.connection.send(pushFrame("unsubscribe", { channel, code }));
}

/**
 * What the gateway joined by itself failed. Its client is told, unless it has subscribed anew or left meanwhile: then its own command's answer
 * is the word about the channel, and this one would make it forget where it stands.
 */
export function tellFailed(session: Session, channel: string): FailedJoin {
  return (_error, live) => {
    if (live) tellEnded(session, channel, "unavailable");
  };
}
