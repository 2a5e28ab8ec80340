import type { UnsubscribeCommand } from "@aldis/protocol";
import { whenReady } from "../../awaitable.ts";
import { leaveChannel } from "../leave.ts";
import type { Session } from "../session.ts";

/** SU7. */
export function onUnsubscribe(session: Session, command: UnsubscribeCommand): void {
  session.withdrawChannel(command.channel);
  const subscription = session.subscriptions.get(command.channel);
  session.deps.inFlight.cancelAsking(session, command.channel);
  if (subscription !== undefined) leaveChannel(session, subscription, { stays: false });
  const reply = () => session.reply(command, { channel: command.channel });
  // The answer to a `subscribe` before it still says where it stood (FR6).
  whenReady(session.deps.inFlight.subscribeTo(session, command.channel), {
    done: reply,
    failed: (error) => session.fail(command, error),
  });
}
