import {
  type ChannelName,
  type ChannelPattern,
  isChannelPattern,
  type Refusal,
  refuse,
} from "@aldis/protocol";
import { type Awaitable, mapReady } from "../awaitable.ts";
import { SUBSCRIBED_MS } from "../limits/channel-quota.ts";
import type { Verdict } from "./hooks.ts";
import { mayJoin } from "./may-join.ts";
import type { Session } from "./session.ts";

/** What others say about a subscription that token and namespace allow. Where a backend has granted it nobody is asked. */
export function verdictOn(
  session: Session,
  name: ChannelName | ChannelPattern,
): Awaitable<Verdict> {
  const over = overQuota(session, name);
  if (over === undefined) return hooksOn(session, name);
  return mapReady(over, (refusal) => refusal ?? hooksOn(session, name));
}

function hooksOn(session: Session, name: ChannelName | ChannelPattern): Awaitable<Verdict> {
  const { subscribing } = session.deps.hooks;
  if (subscribing === undefined || session.granted?.has(name) === true) return undefined;
  return subscribing(session, name);
}

/** A channel that the tenant does not have yet may be one too many (QU4). */
function overQuota(session: Session, name: ChannelName | ChannelPattern): Awaitable<Verdict> {
  if (isChannelPattern(name)) return undefined;
  return session.deps.channels.admit(session.identity.tenant, name, SUBSCRIBED_MS);
}

type Answer = { readonly allowed: () => void; readonly refused: (refusal: Refusal) => void };

/** It is as if the client had subscribed and left again: what it wants last holds. */
const LEFT = refuse("unavailable", "the subscription was ended before it began");

/**
 * Whether a session may subscribe, as a command asks: in this turn where that is known. Commands about one channel keep their order, and neither
 * is called when the session has gone meanwhile.
 */
export function askToJoin(
  session: Session,
  name: ChannelName | ChannelPattern,
  answer: Answer,
): void {
  const refusal = mayJoin(session, name);
  if (refusal !== undefined) return answer.refused(refusal);
  const verdict = verdictOn(session, name);
  const { inFlight } = session.deps;
  if (!(verdict instanceof Promise) && !inFlight.asksFor(session, name)) {
    return verdict === undefined ? answer.allowed() : answer.refused(verdict);
  }
  const asked = inFlight
    .beginAsking(session, name, verdict)
    .then(({ objection, cancelled, over }) => {
      over();
      if (!session.authenticated) return;
      // The token may be another by now.
      const against = objection ?? (cancelled ? LEFT : mayJoin(session, name));
      if (against === undefined) answer.allowed();
      else answer.refused(against);
    });
  void inFlight.track(session, asked);
}
