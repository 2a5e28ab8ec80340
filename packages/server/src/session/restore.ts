import {
  type ChannelName,
  isChannelPattern,
  namespaceOf,
  pushFrame,
  type StreamPosition,
} from "@aldis/protocol";
import type { Place } from "../hub/subscription.ts";
import { verdictOn } from "./ask-to-join.ts";
import type { Verdict } from "./hooks.ts";
import { joinChannel } from "./join.ts";
import { joinPattern } from "./join-pattern.ts";
import { mayJoin } from "./may-join.ts";
import type { ParkedSubscription } from "./parking.ts";
import type { Session } from "./session.ts";
import { tellEnded, tellFailed } from "./tell-ended.ts";
import { tellJoined } from "./tell-joined.ts";

/** `asked`: somebody is being asked about it; it waits for their answer. */
type Waiting = ParkedSubscription & { asked?: true };

/** What of a resumed session is still to be restored, in order. */
export type RestorePlan = {
  readonly waiting: Waiting[];
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
  goOn(session, plan);
}

function goOn(session: Session, plan: RestorePlan): void {
  while (plan.sentBytes < STEP_BYTES) {
    const next = plan.waiting.find(({ asked }) => asked !== true);
    if (next === undefined) {
      if (plan.waiting.length === 0) session.restoring = undefined;
      return;
    }
    begin(session, plan, next);
  }
}

/** Asks whether it may be restored, and does it, or leaves it where it is until there is an answer: a session that breaks meanwhile still has it. */
function begin(session: Session, plan: RestorePlan, parked: Waiting): void {
  const verdict = parked.ended === true ? undefined : verdictOn(session, parked.name);
  if (!(verdict instanceof Promise)) {
    takeOut(plan, parked);
    return restoreOne(session, plan, { parked, verdict });
  }
  parked.asked = true;
  const answered = verdict.then((objection) => {
    const isOurs = session.restoring === plan && takeOut(plan, parked);
    if (!session.authenticated || !isOurs) return;
    restoreOne(session, plan, { parked, verdict: objection });
    goOn(session, plan);
  });
  void session.deps.inFlight.track(session, answered);
}

/** Returns whether it was still there. */
function takeOut({ waiting }: RestorePlan, parked: Waiting): boolean {
  const index = waiting.indexOf(parked);
  if (index >= 0) waiting.splice(index, 1);
  return index >= 0;
}

/** What somebody is being asked about is not wanted any more. Returns whether there was such a thing. */
export function forgetAsked(session: Session, name: string): boolean {
  const plan = session.restoring;
  const parked = plan?.waiting.find((one) => one.asked === true && one.name === name);
  if (plan === undefined || parked === undefined) return false;
  takeOut(plan, parked);
  tellEnded(session, name, "forbidden");
  return true;
}

/**
 * A command is about a channel that is still to be restored. When it decides about the channel anew it takes the
 * place of the restoring; any other command finds it restored.
 */
export function restoreFirst(session: Session, name: string, how: "restore" | "forget"): void {
  const plan = session.restoring;
  const parked = plan?.waiting.find((one) => one.name === name);
  if (plan === undefined || parked === undefined) return;
  if (how === "forget") takeOut(plan, parked);
  else if (parked.asked !== true) begin(session, plan, parked);
}

function restoreOne(
  session: Session,
  plan: RestorePlan,
  { parked, verdict }: { readonly parked: ParkedSubscription; readonly verdict: Verdict },
): void {
  const { name, slow } = parked;
  if (session.isSubscribed(name)) return;
  if (parked.ended) return tellEnded(session, name, "forbidden");
  const refusal = verdict ?? mayJoin(session, name);
  if (refusal !== undefined) return tellEnded(session, name, refusal.error);
  const failed = tellFailed(session, name);
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
