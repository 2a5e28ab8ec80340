import { type PingCommand, pushFrame } from "@aldis/protocol";
import type { Session } from "../session.ts";

/** LS2. The one command that is answered without an id as well: it asks for nothing but a sign of life. */
export function onPing(session: Session, command: PingCommand): void {
  const body = { at: session.deps.clock.nowMs() };
  if (command.id === undefined) session.connection.send(pushFrame("pong", body));
  else session.reply(command, body);
}
