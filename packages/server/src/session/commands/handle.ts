import { type Command, type ExtensionCommand, FieldError, refuse } from "@aldis/protocol";
import { authenticate } from "../authenticate.ts";
import type { Session } from "../session.ts";
import { onHistory } from "./history.ts";
import { onPing } from "./ping.ts";
import { onPresence } from "./presence.ts";
import { onPublish } from "./publish.ts";
import { onRefresh } from "./refresh.ts";
import { onSend } from "./send.ts";
import { onSubscribe } from "./subscribe.ts";
import { onUnsubscribe } from "./unsubscribe.ts";

/** Each action's own file; the state of the session has allowed it already. */
export function handleCommand(session: Session, command: Command): void {
  switch (command.action) {
    case "publish":
      return onPublish(session, command);
    case "subscribe":
      return onSubscribe(session, command);
    case "unsubscribe":
      return onUnsubscribe(session, command);
    case "history":
      return onHistory(session, command);
    case "presence":
      return onPresence(session, command);
    case "send":
      return onSend(session, command);
    case "refresh":
      return onRefresh(session, command);
    case "connect":
      if (command.batch) session.connection.sendBatches();
      return authenticate(session, command, command);
    case "ping":
      return onPing(session, command);
    case "extension":
      return onExtension(session, command);
    default:
      return command satisfies never;
  }
}

function onExtension(session: Session, command: ExtensionCommand): void {
  const handler = session.deps.actions.get(command.name);
  if (handler === undefined)
    return session.refuse(command, refuse("unknown_action", "no such action"));
  try {
    handler(session, command);
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    session.refuse(command, error.refusal);
  }
}
