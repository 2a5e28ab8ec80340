import { namespaceOf, type PublishBody, type PublishCommand, pushFrame } from "@aldis/protocol";
import { whenReady } from "../../awaitable.ts";
import type { PublishOutcome } from "../../broker/broker.ts";
import { FORBIDDEN, permits } from "../../channel/permissions.ts";
import { frameOf } from "../../hub/frame.ts";
import type { Session } from "../session.ts";

/** PB1–PB5. */
export function onPublish(session: Session, command: PublishCommand): void {
  const { identity, deps, connectionId } = session;
  const { channel } = command;
  const namespace = deps.namespaces.find(identity.tenant, namespaceOf(channel));
  const subscribed = session.isSubscribed(channel);
  if (!permits({ identity, namespace, subscribed }, "publish", channel)) {
    return session.refuse(command, FORBIDDEN);
  }
  const noEcho = !command.echo || namespace.options.excludeSender;
  const published = deps.publisher.publish({
    tenant: identity.tenant,
    channel,
    event: command.event,
    key: command.key,
    data: command.data,
    from: { user: identity.userId, connection: connectionId },
    exclude: noEcho ? connectionId : undefined,
    idempotencyKey: command.idempotencyKey,
    idempotencyScope: `user ${identity.userId}`,
    version: command.version,
  });
  if (!published.ok) return session.refuse(command, published);
  whenReady(deps.inFlight.track(session, published.value), {
    done: (outcome) => answer(session, command, { outcome, movesOn: noEcho && subscribed }),
    failed: (error) => session.fail(command, error),
  });
}

/** `movesOn`: the sender is subscribed and gets no push of it, so its position has to advance otherwise (PB4). */
function answer(
  session: Session,
  command: PublishCommand,
  { outcome, movesOn }: { outcome: PublishOutcome; movesOn: boolean },
): void {
  const { channel } = command;
  const { offset, epoch, kind, duplicate } = outcome;
  if (command.id !== undefined) {
    const body: PublishBody = { channel, offset, epoch };
    if (duplicate) body.duplicate = true;
    if (kind === "suppressed") body.suppressed = true;
    if (movesOn) session.replyPosition(command, JSON.stringify(body));
    else session.reply(command, body);
  } else if (movesOn && kind === "published" && !duplicate) {
    const frame = frameOf(pushFrame("position", { channel, offset }));
    const lane = session.subscriptions.get(channel)?.lane;
    if (lane === undefined) session.connection.deliver(frame);
    else lane.pass(frame, offset);
  }
}
