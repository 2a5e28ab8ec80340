import { pushFrame, type Refusal } from "@aldis/protocol";
import type { Session } from "./session.ts";

/** SU7: the gateway has ended a subscription. */
export function tellEnded(session: Session, channel: string, refusal: Refusal): void {
  session.hasEndedSome = true;
  session.connection.send(pushFrame("unsubscribe", { channel, code: refusal.error }));
}
