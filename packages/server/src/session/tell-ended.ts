import { type ErrorCode, pushFrame } from "@aldis/protocol";
import type { Session } from "./session.ts";

/** SU7: the gateway has ended a subscription; `code` says why. */
export function tellEnded(session: Session, channel: string, code: ErrorCode): void {
  session.hasEndedSome = true;
  session.connection.send(pushFrame("unsubscribe", { channel, code }));
}
