import {
  type ChannelName,
  isChannelPattern,
  namespaceOf,
  pushFrame,
  type StreamPosition,
} from "@aldis/protocol";
import type { Place } from "../hub/subscription.ts";
import { joinChannel } from "./join.ts";
import { joinPattern } from "./join-pattern.ts";
import { mayJoin } from "./may-join.ts";
import type { ParkedSubscription } from "./parking.ts";
import type { Session } from "./session.ts";
import { tellEnded } from "./tell-ended.ts";
import { tellJoined } from "./tell-joined.ts";

/** What of a resumed session is still to be restored, in order. */
export type RestorePlan = {
  readonly waiting: ParkedSubscription[];
  /** What was sent since the outbox was last empty. */
  sentBytes: number;
};

export function isToBeRestored(plan: RestorePlan | undefined, name: string): boolean {
  return plan?.waiting.some((parked) => parked.name === name) ?? false;
}

/** After so much the rest waits until it is sent. */
const STEP_BYTES = 64 * 1024;

/**
 * Brings a resumed session back into its channels and sends what it missed (SE3). `positions` are the client's
 * own word, which goes before the gateway's (SE4).
 */
export function restore(
  session: Session,
  subscriptions: readonly ParkedSubscription[],
  positions: ReadonlyMap<string, StreamPosition> | undefined,
): void {
  const waiting = subscriptions.map((parked) => ({
    ...parked,
    place: positions?.get(parked.name) ?? parked.place,
  }));
  session.restoring = { waiting, sentBytes: 0 };
  restoreMore(session);
}

/**
 * Goes on until all is restored, or enough is on its way; then the flush goes on. So a session with much to
 * catch up on over a slow line has one channel's history waiting, not all of them.
 */
export function restoreMore(session: Session): void {
  const plan = session.restoring;
  if (plan === undefined) return;
  plan.sentBytes = 0;
  while (plan.sentBytes < STEP_BYTES) {
    const next = plan.waiting.shift();
    if (next === undefined) {
      session.restoring = undefined;
      return;
    }
    restoreOne(session, plan, next);
  }
}

/**
 * A command is about a channel that is still to be restored. When it decides about the channel anew it takes the
 * place of the restoring; any other command finds it restored.
 */
export function restoreFirst(session: Session, name: string, how: "restore" | "forget"): void {
  const plan = session.restoring;
  const index = plan?.waiting.findIndex((parked) => parked.name === name) ?? -1;
  if (plan === undefined || index < 0) return;
  const [parked] = plan.waiting.splice(index, 1);
  if (how === "restore" && parked !== undefined) restoreOne(session, plan, parked);
}

function restoreOne(session: Session, plan: RestorePlan, parked: ParkedSubscription): void {
  const { name, slow } = parked;
  if (session.isSubscribed(name)) return;
  if (parked.ended) return tellEnded(session, name, "forbidden");
  const refusal = mayJoin(session, name);
  if (refusal !== undefined) return tellEnded(session, name, refusal.error);
  const failed = () => tellEnded(session, name, "unavailable");
  if (isChannelPattern(name)) {
    const told = pushFrame("subscribe", { channel: name, recovered: false });
    const done = () => session.connection.send(told);
    return joinPattern(session, { name, slow }, { done, failed });
  }
  joinChannel(
    session,
    { ...requestOf(session, name, parked.place), slow },
    {
      done(joined) {
        if (!joined.live) return;
        plan.sentBytes += tellJoined(session, name, joined);
        session.deps.presence.join(session, name);
      },
      failed,
    },
  );
}

function requestOf(session: Session, channel: ChannelName, place: Place) {
  const last = lastWanted(session, channel);
  if (place === "lost") return { channel, since: undefined, lost: true as const, last };
  return { channel, since: place, last };
}

export function lastWanted(session: Session, channel: ChannelName): number {
  const { tenant } = session.identity;
  return session.deps.namespaces.find(tenant, namespaceOf(channel)).options.lastOnSubscribe;
}
