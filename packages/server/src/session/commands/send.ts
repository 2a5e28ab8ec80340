import { Base64, type DirectPush, pushFrame, type SendCommand } from "@aldis/protocol";
import { allows } from "../../auth/capabilities.ts";
import { FORBIDDEN } from "../../channel/permissions.ts";
import type { Session } from "../session.ts";

/** DM1–DM3. */
export function onSend(session: Session, command: SendCommand): void {
  const { identity, deps } = session;
  const { to } = command;
  const target = "user" in to ? `@user:${to.user}` : `@connection:${to.connection}`;
  const open = deps.options.directAllow === "user" && !identity.anonymous;
  if (!open && !allows(identity.capabilities, target, "send")) {
    return session.refuse(command, FORBIDDEN);
  }
  const frame = pushFrame("message", pushOf(session, command));
  let delivered = 0;
  for (const addressee of addressees(session, command)) {
    if (command.urgent) addressee.connection.sendUrgent(frame);
    else addressee.connection.send(frame);
    delivered++;
  }
  session.reply(command, { delivered });
}

function addressees(session: Session, { to }: SendCommand): Iterable<Session> {
  const { live } = session.deps;
  const { tenant } = session.identity;
  if ("user" in to) return live.byUser(tenant, to.user);
  const one = live.byConnection(tenant, to.connection);
  return one === undefined ? [] : [one];
}

function pushOf(session: Session, command: SendCommand): DirectPush {
  const push: DirectPush = {
    direct: "user" in command.to ? "user" : "connection",
    at: session.deps.clock.nowMs(),
    from: { user: session.identity.userId, connection: session.connectionId },
  };
  if (command.event !== undefined) push.event = command.event;
  if (command.data instanceof Base64) push.base64 = command.data.text;
  else push.data = command.data;
  return push;
}
