import type { UnsubscribeCommand } from "@aldis/protocol";
import { leaveChannel } from "../leave.ts";
import type { Session } from "../session.ts";

/** SU7. */
export function onUnsubscribe(session: Session, command: UnsubscribeCommand): void {
  session.withdrawChannel(command.channel);
  const subscription = session.subscriptions.get(command.channel);
  if (subscription !== undefined) leaveChannel(session, subscription, { stays: false });
  session.reply(command, { channel: command.channel });
}
