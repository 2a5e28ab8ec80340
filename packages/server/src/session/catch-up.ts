import { type ChannelName, isChannelPattern, namespaceOf, pushFrame } from "@aldis/protocol";
import { attempt, whenReady } from "../awaitable.ts";
import type { HistoryPage } from "../broker/broker.ts";
import { publicationFrame } from "../hub/frame.ts";
import type { Lane, Subscription } from "../hub/subscription.ts";
import { channelKey } from "../tenant/tenant.ts";
import { joinChannel } from "./join.ts";
import { leaveChannel } from "./leave.ts";
import { lastWanted } from "./restore.ts";
import type { Session } from "./session.ts";
import { tellEnded, tellFailed } from "./tell-ended.ts";
import { tellJoined } from "./tell-joined.ts";

/** Publications read at once; what does not fit then is read again. */
const PAGE = 100;

/**
 * Goes on with the subscriptions that stopped because their client was too slow (`catch-up`, BP5): a page of the history for
 * each, and more when that is sent. They stay with the hub meanwhile and pass over what it delivers, so that the
 * channel is held by the broker and the way back needs no second joining: a subscription that has all that it passed over is live.
 */
export function catchUp(session: Session): void {
  for (const subscription of [...session.subscriptions.values()]) {
    const { lane } = subscription;
    if (lane?.isPaused && !lane.reading) readOn(session, subscription, lane);
  }
}

function readOn(session: Session, subscription: Subscription, lane: Lane): void {
  const { name } = subscription;
  if (isChannelPattern(name)) return;
  const { broker, namespaces } = session.deps;
  const { tenant } = session.identity;
  const query = { limit: PAGE, before: undefined, after: lane.position.offset };
  const { history } = namespaces.find(tenant, namespaceOf(name)).options;
  lane.reading = true;
  const page = attempt(() => broker.history(channelKey(tenant, name), query, history));
  whenReady(session.deps.inFlight.track(session, page), {
    done(page) {
      lane.reading = false;
      if (session.holds(subscription) && lane.isPaused) feed(session, subscription, page);
    },
    failed() {
      lane.reading = false;
      if (session.holds(subscription)) giveUp(session, subscription);
    },
  });
}

function feed(session: Session, subscription: Subscription, page: HistoryPage): void {
  const { lane, name } = subscription;
  if (lane === undefined || isChannelPattern(name)) return;
  const isBehind = lane.position.offset < lane.seenOffset;
  if (!continues(lane, page) || (isBehind && page.publications.length === 0)) {
    return startAnew(session, subscription, name);
  }
  if (!lane.isTold) {
    lane.isTold = true;
    const body = { channel: name, recovered: true, ...lane.position };
    session.connection.send(pushFrame("subscribe", body));
  }
  for (const publication of page.publications) {
    if (!lane.feed(publicationFrame(publication))) return;
  }
  if (lane.position.offset >= lane.seenOffset) lane.goOn();
}

/** The history has let go of some of it: the client is told so (P1). */
function startAnew(session: Session, subscription: Subscription, channel: ChannelName): void {
  const { slow } = subscription;
  const last = lastWanted(session, channel);
  joinChannel(
    session,
    { channel, since: undefined, lost: true, last, slow },
    {
      done(joined) {
        if (joined.live) tellJoined(session, channel, joined);
      },
      failed: tellFailed(session, channel),
    },
  );
}

/** As with a session that is restored: its client subscribes again. */
function giveUp(session: Session, subscription: Subscription): void {
  leaveChannel(session, subscription, { stays: false });
  tellEnded(session, subscription.name, "unavailable");
}

/** Whether nothing is missing between where the client stands and the page. */
function continues({ position }: Lane, { top, publications }: HistoryPage): boolean {
  if (top.epoch !== position.epoch) return false;
  return (publications[0]?.offset ?? top.offset + 1) === position.offset + 1;
}
