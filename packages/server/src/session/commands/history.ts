import { type HistoryCommand, namespaceOf, refuse } from "@aldis/protocol";
import { whenReady } from "../../awaitable.ts";
import type { HistoryOptions, HistoryPage } from "../../broker/broker.ts";
import { FORBIDDEN, permits } from "../../channel/permissions.ts";
import { channelKey } from "../../tenant/tenant.ts";
import { lengthOf, takeAnswer } from "../rate-gate.ts";
import type { Session } from "../session.ts";
import { whenAllowed } from "../when-allowed.ts";

/** HI1, HI2. */
export function onHistory(session: Session, command: HistoryCommand): void {
  const { identity, deps } = session;
  const { channel } = command;
  const namespace = deps.namespaces.find(identity.tenant, namespaceOf(channel));
  const subscribed = session.isSubscribed(channel);
  if (!permits({ identity, namespace, subscribed }, "history", channel)) {
    return session.refuse(command, FORBIDDEN);
  }
  whenAllowed(session, command, deps.hooks.reading?.(session, channel, "history"), () =>
    read(session, command, namespace.options.history),
  );
}

function read(session: Session, command: HistoryCommand, history: HistoryOptions): void {
  const { identity, deps } = session;
  const { channel, limit, before, after } = command;
  const key = channelKey(identity.tenant, channel);
  const page = deps.broker.history(key, { limit, before, after }, history);
  whenReady(deps.inFlight.track(session, page), {
    done: (found) => answer(session, command, found),
    failed: (error) => session.fail(command, error),
  });
}

function answer(session: Session, command: HistoryCommand, page: HistoryPage): void {
  const { top, publications, more } = page;
  if (command.epoch !== undefined && command.epoch !== top.epoch) {
    return session.refuse(command, refuse("position_lost", "this epoch is over"));
  }
  takeAnswer(session, lengthOf(publications));
  const list = publications.map((publication) => publication.json).join(",");
  session.replyJson(
    command,
    `{"channel":"${command.channel}","publications":[${list}],"offset":${top.offset},"epoch":"${top.epoch}","more":${more}}`,
  );
}
