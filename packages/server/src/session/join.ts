import {
  type ChannelName,
  namespaceOf,
  type SlowConsumerPolicy,
  type StreamPosition,
} from "@aldis/protocol";
import { type Awaitable, attempt, mapReady, whenReady } from "../awaitable.ts";
import type { HistoryOptions, Publication, Recovery } from "../broker/broker.ts";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import { publicationFrame } from "../hub/frame.ts";
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

/** A channel joined: `publications` are to be sent first, in this same call; what came since follows by itself. */
export type Joined = {
  readonly recovered: boolean;
  readonly publications: readonly Publication[];
  /** Where the client stands after `publications`. */
  readonly position: StreamPosition;
  /** False when a later command has ended or replaced this subscription while it was made. */
  readonly live: boolean;
};

/** `live`: as in {@link Joined}. */
export type FailedJoin = (error: unknown, live: boolean) => void;

export type JoinContinuation<T> = {
  readonly done: (joined: T) => void;
  readonly failed: FailedJoin;
};

/**
 * Puts a session into a channel without a gap: the node's interest first, then the history up to X, then, in one
 * turn, what came after X meanwhile and the place among the live subscribers (ARCHITECTURE.md). `done` is called in that turn, in
 * the very turn of the call when the broker is local; not at all when the connection went meanwhile.
 */
export function joinChannel(
  session: Session,
  request: JoinRequest,
  then: JoinContinuation<Joined>,
): void {
  const { hub, inFlight } = session.deps;
  const key = channelKey(session.identity.tenant, request.channel);
  const former = session.subscriptions.get(request.channel);
  const subscription = beginSubscription(session, request, former);
  const started = attempt(() => hub.startJoining(key, session.connectionId));
  // Only now: somebody has the channel at every moment, so that the broker has no cause to forget it.
  if (former !== undefined) hub.leave(former);
  former?.lane?.close();
  const join = new Join(session, subscription, { request, then });
  whenReady(inFlight.track(session, started), {
    done: (joining) => join.read(joining),
    failed: (error) => join.fail(error),
  });
  join.noteWaiting();
}

/** So often the history is read when it does not lead to what the others in the channel have. */
const READS_MAX = 5;

/** One way into a channel, from the interest at the broker to the answer. */
class Join {
  readonly #session: Session;
  readonly #subscription: Subscription;
  readonly #request: JoinRequest;
  readonly #then: JoinContinuation<Joined>;
  /** An earlier one to the same channel: its answer says where that one would stand, and has to be heard first (FR6). */
  readonly #before: Promise<void> | undefined;
  #reads = 0;
  #isOver = false;
  #over: (() => void) | undefined;

  constructor(
    session: Session,
    subscription: Subscription,
    asked: { readonly request: JoinRequest; readonly then: JoinContinuation<Joined> },
  ) {
    this.#session = session;
    this.#subscription = subscription;
    this.#request = asked.request;
    this.#then = asked.then;
    this.#before = session.deps.inFlight.subscribeTo(session, asked.request.channel);
  }

  /** Unless all of it happened in this turn: who replaces it waits for its answer. */
  noteWaiting(): void {
    if (this.#isOver) return;
    const { inFlight } = this.#session.deps;
    this.#over = inFlight.beginSubscribe(this.#session, this.#request.channel);
  }

  read(joining: Joining): void {
    const session = this.#session;
    this.#reads++;
    const past = attempt(() => readPast(session, joining.channel.key, this.#request));
    const before = this.#before;
    const inTurn =
      before === undefined ? past : Promise.allSettled([past, before]).then(() => past);
    whenReady(session.deps.inFlight.track(session, inTurn), {
      done: (found) => this.#join(joining, found),
      failed: (error) => this.#giveUp(joining, error),
    });
  }

  fail(error: unknown): void {
    const subscription = this.#subscription;
    const live = this.#session.holds(subscription);
    if (live) leaveChannel(this.#session, subscription, { stays: false });
    this.#then.failed(error, live);
    this.#end();
  }

  #join(joining: Joining, past: Recovery): void {
    const session = this.#session;
    const { hub, inFlight } = session.deps;
    const { recovered, publications, top: position } = past;
    const joined = { recovered, publications, position };
    if (!session.holds(this.#subscription)) {
      hub.abandon(joining);
      if (session.authenticated) this.#then.done({ ...joined, live: false });
      return this.#end();
    }
    const missed = hub.join(joining, this.#subscription, position);
    if (missed === "again") {
      const error = new BrokerUnavailable("the channel does not come to rest");
      if (this.#reads >= READS_MAX) return this.#giveUp(joining, error);
      return whenReady(inFlight.track(session, hub.settled(joining)), {
        done: () => this.read(joining),
        failed: (fault) => this.#giveUp(joining, fault),
      });
    }
    place(this.#subscription, this.#request, { past, hasEndedSome: session.hasEndedSome });
    this.#then.done({ ...joined, live: true });
    sendMissed(session, this.#subscription, missed);
    if (session.holds(this.#subscription)) {
      session.deps.hooks.subscribed?.(session, this.#request.channel);
    }
    this.#end();
  }

  #giveUp(joining: Joining, error: unknown): void {
    this.#session.deps.hub.abandon(joining);
    this.fail(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#over?.();
  }
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

/** Where its client stands, as far as is proven, and what it has yet to hear. */
function place(
  subscription: Subscription,
  request: JoinRequest,
  { past, hasEndedSome }: { readonly past: Recovery; readonly hasEndedSome: boolean },
): void {
  const { recovered, top: position } = past;
  const asked = request.since !== undefined;
  // What the client said to have is proven; what it is sent now is not yet.
  subscription.provenOffset = asked && recovered ? request.since.offset : position.offset;
  // Whoever stood somewhere and starts anew passes over what is between, and has yet to hear of that.
  const stood = subscription.place !== undefined || hasEndedSome;
  const startsAnew = asked ? !recovered : stood;
  subscription.lossUnheard = request.lost === true || startsAnew;
  subscription.lane?.start(position);
}

/** What came while the history was read: pushed like all that comes from now on. */
function sendMissed(
  { connectionId }: Session,
  { subscriber }: Subscription,
  missed: readonly Publication[],
): void {
  for (const publication of missed) {
    if (publication.exclude !== connectionId) subscriber.deliver(publicationFrame(publication));
  }
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
