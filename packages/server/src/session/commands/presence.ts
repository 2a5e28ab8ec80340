import { namespaceOf, type PresenceCommand, refuse } from "@aldis/protocol";
import { attempt, whenReady } from "../../awaitable.ts";
import { FORBIDDEN, permits } from "../../channel/permissions.ts";
import type { PageRequest } from "../../presence/presence.ts";
import { takeAnswer } from "../rate-gate.ts";
import type { Session } from "../session.ts";
import { whenAllowed } from "../when-allowed.ts";

/** PR1, PR2. */
export function onPresence(session: Session, command: PresenceCommand): void {
  const { identity, deps } = session;
  const { channel, request } = command;
  const namespace = deps.namespaces.find(identity.tenant, namespaceOf(channel));
  const subscribed = session.isSubscribed(channel);
  const allowed = permits({ identity, namespace, subscribed }, "presence", channel);
  if (!allowed || !namespace.options.presence) return session.refuse(command, FORBIDDEN);
  if (request.kind === "read") {
    const verdict = deps.hooks.reading?.(session, channel, "presence");
    return whenAllowed(session, command, verdict, () => read(session, command, request));
  }
  if (isOver(request.data, deps.options.presenceDataMaxBytes)) {
    const max = deps.options.presenceDataMaxBytes;
    return session.refuse(command, refuse("too_large", `presence data has at most ${max} bytes`));
  }
  if (!deps.presence.update(session, channel, request)) {
    return session.refuse(command, refuse("not_subscribed", "subscribe to the channel first"));
  }
  session.reply(command, { channel });
}

function read(session: Session, command: PresenceCommand, page: PageRequest): void {
  const { identity, deps } = session;
  const found = attempt(() => deps.presence.read(identity.tenant, command.channel, page));
  whenReady(deps.inFlight.track(session, found), {
    done(body) {
      const json = JSON.stringify(body);
      takeAnswer(session, json.length);
      session.replyJson(command, json);
    },
    failed: (error) => session.fail(command, error),
  });
}

function isOver(data: unknown, maxBytes: number): boolean {
  return data !== undefined && Buffer.byteLength(JSON.stringify(data)) > maxBytes;
}
