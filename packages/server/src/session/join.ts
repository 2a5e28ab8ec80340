import {
  type ChannelName,
  namespaceOf,
  type SlowConsumerPolicy,
  type StreamPosition,
} from "@aldis/protocol";
import { type Awaitable, attempt, type Continuation, mapReady, whenReady } from "../awaitable.ts";
import type { HistoryOptions, Publication, Recovery } from "../broker/broker.ts";
import type { Joining } from "../hub/hub-channel.ts";
import type { Subscription } from "../hub/subscription.ts";
import { type ChannelKey, channelKey, tenantOf } from "../tenant/tenant.ts";
import { leaveChannel } from "./leave.ts";
import { newSubscription } from "./new-subscription.ts";
import type { Session } from "./session.ts";

export type JoinRequest = {
  readonly channel: ChannelName;
  readonly since: StreamPosition | undefined;
  /** The client is to be told that it lost something, whatever the history says. */
  readonly lost?: true;
  /** What its client asked for when it is slow; undefined: the namespace says. */
  readonly slow: SlowConsumerPolicy | undefined;
  /** Latest publications wanted when nothing is recovered. */
  readonly last: number;
};

/** A channel joined: `publications` are to be sent first, in this same turn; live ones follow by themselves. */
export type Joined = {
  readonly recovered: boolean;
  readonly publications: readonly Publication[];
  /** Where the client stands after `publications`. */
  readonly position: StreamPosition;
  /** False when a later command has ended or replaced this subscription while it was made. */
  readonly live: boolean;
};

/**
 * Puts a session into a channel without a gap: the node's interest first, then the history up to X, then, in one
 * turn, what came after X meanwhile and the place among the live subscribers (ARCHITECTURE.md). `done` is called in that turn, in
 * the very turn of the call when the broker is local; not at all when the connection went meanwhile.
 */
export function joinChannel(
  session: Session,
  request: JoinRequest,
  then: Continuation<Joined>,
): void {
  const { hub } = session.deps;
  const key = channelKey(session.identity.tenant, request.channel);
  const former = session.subscriptions.get(request.channel);
  const subscription = beginSubscription(session, request, former);
  const started = attempt(() => hub.startJoining(key));
  // Only now: somebody has the channel at every moment, so that the broker has no cause to forget it.
  if (former !== undefined) hub.leave(former);
  former?.lane?.close();
  const failed = (error: unknown) => {
    if (session.holds(subscription)) leaveChannel(session, subscription, { stays: false });
    then.failed(error);
  };
  whenReady(session.deps.inFlight.track(session, started), {
    done(joining) {
      whenReady(
        session.deps.inFlight.track(
          session,
          attempt(() => readPast(session, key, request)),
        ),
        {
          done(past) {
            if (!session.authenticated) return hub.abandon(joining);
            then.done(finishJoining(session, { joining, subscription, request, past }));
          },
          failed(error) {
            hub.abandon(joining);
            failed(error);
          },
        },
      );
    },
    failed,
  });
}

/** In the list from now on: it counts against the limit, and a break remembers where it stood. */
function beginSubscription(
  session: Session,
  request: JoinRequest,
  former: Subscription | undefined,
): Subscription {
  const { channel, slow } = request;
  const subscription = newSubscription(session, channel, slow);
  subscription.place = request.lost ? "lost" : (request.since ?? former?.standing);
  session.addSubscription(subscription);
  return subscription;
}

function finishJoining(
  session: Session,
  join: {
    readonly joining: Joining;
    readonly subscription: Subscription;
    readonly request: JoinRequest;
    readonly past: Recovery;
  },
): Joined {
  const { joining, subscription, request, past } = join;
  const { hub } = session.deps;
  if (!session.holds(subscription)) {
    hub.abandon(joining);
    return joinedOf(past, [], { live: false });
  }
  const asked = request.since !== undefined;
  // What the client said to have is proven; what it is sent now is not yet.
  subscription.provenOffset = asked && past.recovered ? request.since.offset : past.top.offset;
  // Whoever stood somewhere and starts anew passes over what is between, and has yet to hear of that.
  const stood = subscription.place !== undefined || session.hasEndedSome;
  const startsAnew = asked ? !past.recovered : stood;
  subscription.lossUnheard = request.lost === true || startsAnew;
  const joined = joinedOf(past, hub.join(joining, subscription, past.top), { live: true });
  subscription.lane?.start(joined.position);
  return joined;
}

function readPast(session: Session, key: ChannelKey, request: JoinRequest): Awaitable<Recovery> {
  const { broker } = session.deps;
  if (request.since === undefined) return readLast(session, key, request);
  const recovery = broker.recover(key, request.since, historyOf(session, key, request));
  if (recovery instanceof Promise) {
    return recovery.then((found) => (found.recovered ? found : readLast(session, key, request)));
  }
  return recovery.recovered ? recovery : readLast(session, key, request);
}

function readLast(session: Session, key: ChannelKey, request: JoinRequest): Awaitable<Recovery> {
  const { broker } = session.deps;
  if (request.last === 0)
    return mapReady(broker.top(key), (top) => ({ recovered: false, publications: [], top }));
  const query = { limit: request.last, before: undefined, after: undefined };
  const page = broker.history(key, query, historyOf(session, key, request));
  return mapReady(page, ({ publications, top }) => ({ recovered: false, publications, top }));
}

/** The session may be closed by now: the key knows the tenant. */
function historyOf(session: Session, key: ChannelKey, { channel }: JoinRequest): HistoryOptions {
  return session.deps.namespaces.find(tenantOf(key), namespaceOf(channel)).options.history;
}

function joinedOf(
  past: Recovery,
  seen: readonly Publication[],
  { live }: { readonly live: boolean },
): Joined {
  const last = seen.at(-1);
  return {
    recovered: past.recovered,
    publications: last === undefined ? past.publications : [...past.publications, ...seen],
    position: last === undefined ? past.top : { offset: last.offset, epoch: past.top.epoch },
    live,
  };
}
