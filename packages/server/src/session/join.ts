import type { ChannelName, StreamPosition } from "@aldis/protocol";
import { type Awaitable, type Continuation, whenReady } from "../awaitable.ts";
import type { Publication, Recovery } from "../broker/broker.ts";
import { Subscription } from "../hub/subscription.ts";
import { type ChannelKey, channelKey } from "../tenant/tenant.ts";
import { leaveChannel } from "./leave.ts";
import type { Session } from "./session.ts";

export type JoinRequest = {
  readonly channel: ChannelName;
  readonly since: StreamPosition | undefined;
  /** Latest publications wanted when nothing is recovered. */
  readonly last: number;
};

/** A channel joined: `publications` are to be sent first, in this same turn; live ones follow by themselves. */
export type Joined = {
  readonly recovered: boolean;
  readonly publications: readonly Publication[];
  /** Where the client stands after `publications`. */
  readonly position: StreamPosition;
};

/**
 * Puts a session into a channel without a gap: the node's interest first, then the history up to X, then, in one
 * turn, what came after X meanwhile and the place among the live subscribers (design §5). `done` is called in that turn, in
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
  if (former !== undefined) hub.leave(former);
  const notJoined = (error: unknown) => {
    if (former !== undefined) leaveChannel(session, former, { stays: false });
    then.failed(error);
  };
  whenReady(hub.startJoining(key), {
    done(joining) {
      const failed = (error: unknown) => {
        hub.abandon(joining);
        notJoined(error);
      };
      whenReady(readPast(session, key, request), {
        done(past) {
          if (!session.authenticated) return hub.abandon(joining);
          const subscription = subscriptionAt(session, request, past);
          const seen = hub.join(joining, subscription, past.top);
          session.addSubscription(subscription);
          then.done(joinedOf(past, seen));
        },
        failed,
      });
    },
    failed: notJoined,
  });
}

function readPast(session: Session, key: ChannelKey, request: JoinRequest): Awaitable<Recovery> {
  const { broker } = session.deps;
  if (request.since === undefined) return readLast(session, key, request.last);
  const recovery = broker.recover(key, request.since);
  if (recovery instanceof Promise) {
    return recovery.then((found) =>
      found.recovered ? found : readLast(session, key, request.last),
    );
  }
  return recovery.recovered ? recovery : readLast(session, key, request.last);
}

function readLast(session: Session, key: ChannelKey, last: number): Awaitable<Recovery> {
  const { broker } = session.deps;
  if (last === 0)
    return mapReady(broker.top(key), (top) => ({ recovered: false, publications: [], top }));
  const page = broker.history(key, { limit: last, before: undefined, after: undefined });
  return mapReady(page, ({ publications, top }) => ({ recovered: false, publications, top }));
}

function mapReady<T, U>(value: Awaitable<T>, map: (value: T) => U): Awaitable<U> {
  return value instanceof Promise ? value.then(map) : map(value);
}

/** What the client said to have is proven; what it is sent now is not yet. */
function subscriptionAt(session: Session, request: JoinRequest, past: Recovery): Subscription {
  const { connection } = session;
  const proven = past.recovered && request.since !== undefined ? request.since : past.top;
  return new Subscription(connection, request.channel, proven.offset);
}

function joinedOf(past: Recovery, seen: readonly Publication[]): Joined {
  const last = seen.at(-1);
  return {
    recovered: past.recovered,
    publications: last === undefined ? past.publications : [...past.publications, ...seen],
    position: last === undefined ? past.top : { offset: last.offset, epoch: past.top.epoch },
  };
}
