import { pushFrame, type StreamPosition } from "@aldis/protocol";
import type { Awaitable } from "../awaitable.ts";
import type { Broker, Publication } from "../broker/broker.ts";
import type { Counters } from "../observe/counters.ts";
import { OrderedList } from "../ordered-list.ts";
import { type ChannelKey, nameOf } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { fanOut, fanOutBehind, fanOutExcept, fanOutExceptUser } from "./fan-out.ts";
import { type Frame, frameOf, publicationFrame } from "./frame.ts";
import { type ChannelOptions, Healing, type HealingCounters } from "./healing.ts";
import { type DeliveryCount, HubChannel, Joining } from "./hub-channel.ts";
import { Patterns } from "./patterns.ts";
import { PositionCheck } from "./position-check.ts";
import type { Subscription } from "./subscription.ts";

/** Hears of each publication that has subscribers here, with their number, before they are handed it. Hot. */
export type HubMeter = { begin(subscribers: number): void };

export type HubDeps = {
  readonly broker: Pick<Broker, "subscribe" | "unsubscribe" | "history" | "tops">;
  readonly clock: Clock;
  readonly counters: HealingCounters & Pick<Counters, "positionsChecked">;
  /** What the namespace of a channel says. */
  readonly optionsOf: (key: ChannelKey) => ChannelOptions;
  readonly meter?: HubMeter;
  /** Where what is handed to a channel's subscribers is counted for its tenant. */
  readonly countOf?: (key: ChannelKey) => DeliveryCount;
};

export type HubOptions = {
  readonly heldMaxBytes: number;
  readonly positionCheckMs: number;
};

/**
 * Who is subscribed on this node. Channels exist here only while somebody subscribes, and that is also this node's
 * interest at the broker. Called by the broker (`deliver`), by subscribe and unsubscribe, and by features
 * that push to a channel. Whatever the broker does, a channel's subscribers get its publications in order, each once, or are told
 * that they missed some.
 */
export class Hub {
  readonly #channels = new Map<ChannelKey, HubChannel>();
  /** The same by their keys, for lists that are read in pages. */
  readonly #ordered = new OrderedList<ChannelKey, HubChannel>((channel) => channel.key);
  readonly #patterns = new Patterns();
  readonly #broker: HubDeps["broker"];
  readonly #meter: HubMeter | undefined;
  readonly #countOf: (key: ChannelKey) => DeliveryCount;
  readonly #healing: Healing;
  readonly #check: PositionCheck;
  #deliveries = 0;

  constructor(deps: HubDeps, options: HubOptions) {
    this.#broker = deps.broker;
    this.#meter = deps.meter;
    const together = { delivered: 0 };
    this.#countOf = deps.countOf ?? (() => together);
    this.#healing = new Healing(
      {
        ...deps,
        hand: (channel, publication) => this.#hand(channel, publication),
        startAnew: (channel, position) => this.#startAnew(channel, position),
      },
      options,
    );
    this.#check = new PositionCheck(
      { ...deps, healing: this.#healing, channels: this.#ordered },
      { everyMs: options.positionCheckMs },
    );
  }

  /**
   * First step of joining: from the moment that the answer is there, what is published is kept for this one
   * until {@link join} or {@link abandon}. Between the two the caller reads the history (no gap
   * between history and live, without locks).
   */
  startJoining(key: ChannelKey, connectionId = ""): Awaitable<Joining> {
    const channel = this.#channels.get(key) ?? this.#open(key);
    const joining = new Joining(channel, connectionId);
    channel.joining.add(joining);
    if (!(channel.ready instanceof Promise)) return joining;
    return channel.ready.then(
      () => joining,
      (error: unknown) => {
        channel.joining.delete(joining);
        if (this.#channels.get(key) === channel) this.#forget(channel);
        throw error;
      },
    );
  }

  /**
   * Second step: the subscription stands at `position` and gets all that came after it, first what is
   * returned, in order, for the caller to send in this same turn, then live. "again": what was read does not
   * lead to what others here have been handed, so it has to be read again, after {@link settled}.
   */
  join(
    joining: Joining,
    subscription: Subscription,
    position: StreamPosition,
  ): readonly Publication[] | "again" {
    const { channel } = joining;
    if (!channel.isPlaced) this.#healing.place(channel, position);
    else if (channel.epoch !== position.epoch) this.#healing.open(channel, 0);
    const missed = joining.seen.filter((publication) => publication.offset > position.offset);
    const isWhole = missed.length >= channel.top - position.offset;
    if (channel.epoch !== position.epoch || !isWhole) {
      joining.seen = [];
      return "again";
    }
    channel.joining.delete(joining);
    channel.add(subscription);
    if (position.offset > channel.top) this.#joinAhead(channel, subscription, position.offset);
    this.#payOwed(joining, position);
    return missed;
  }

  /** Done when the channel is known to be whole, or it could not be asked. */
  settled({ channel }: Joining): Awaitable<void> {
    return channel.gap?.nextLook();
  }

  abandon(joining: Joining): void {
    joining.channel.joining.delete(joining);
    this.#payOwed(joining, undefined);
    this.#drop(joining.channel);
  }

  leave(subscription: Subscription): void {
    const channel = subscription.channel;
    if (channel === undefined) return;
    channel.remove(subscription);
    this.#drop(channel);
  }

  /** Live from the moment that the answer is there. */
  joinPattern(prefix: string, subscription: Subscription): Awaitable<void> {
    const subscribed = this.#broker.subscribe({ prefix });
    if (subscribed instanceof Promise) {
      return subscribed.then(() => this.#patterns.add(prefix, subscription));
    }
    this.#patterns.add(prefix, subscription);
  }

  leavePattern(prefix: string, subscription: Subscription): void {
    if (this.#patterns.remove(prefix, subscription)) this.#broker.unsubscribe({ prefix });
  }

  /** A publication has come from the broker. What is the next one of its channel goes straight on. */
  deliver(key: ChannelKey, publication: Publication, epoch: string): void {
    const channel = this.#channels.get(key);
    if (channel === undefined) {
      if (!this.#patterns.isEmpty) this.#deliverToPatterns(key, publication, epoch);
    } else if (publication.offset === channel.next && epoch === channel.epoch) {
      this.#hand(channel, publication);
    } else {
      // Patterns wait for no history, and what is before the place of all who have the channel may be new to them.
      const isBefore =
        !channel.isPlaced || (epoch === channel.epoch && publication.offset <= channel.top);
      if (isBefore && !this.#patterns.isEmpty) this.#deliverToPatterns(key, publication, epoch);
      this.#healing.take(channel, publication, epoch);
    }
  }

  /** Sends a frame that is no publication (presence, typing) to everyone subscribed to a channel here. */
  push(key: ChannelKey, frame: Frame, but?: { readonly exceptUser: string }): void {
    const channel = this.#channels.get(key);
    if (channel === undefined) return;
    if (but === undefined) fanOut(channel.subscriptions, frame);
    else fanOutExceptUser(channel.subscriptions, frame, but.exceptUser);
  }

  /**
   * What the broker delivered may have had holes: a connection to it was made anew. Channels are compared with it, those that
   * `concerned` names if it is given, and patterns are told (SU6).
   */
  checkPositions(concerned?: (key: ChannelKey) => boolean): void {
    this.#patterns.tellAllMissed();
    this.#check.checkAll(concerned);
  }

  /**
   * Done when the subscribers here have been handed all up to `position`, as far as it has come: behind a gap it waits for what is missing
   * (PB1), for as long as one read takes.
   */
  whenHanded(key: ChannelKey, { offset, epoch }: StreamPosition): Awaitable<void> {
    const channel = this.#channels.get(key);
    if (channel === undefined || !channel.isPlaced) return;
    if (channel.epoch === epoch && channel.top >= offset) return;
    return channel.gap?.nextLook();
  }

  /** How many subscriptions a channel has on this node. */
  subscriberCount(key: ChannelKey): number {
    return this.#channels.get(key)?.subscriptions.length ?? 0;
  }

  /** Users who subscribe to a channel on this node, each once. O(subscriptions) */
  usersIn(key: ChannelKey): readonly string[] {
    const subscriptions = this.#channels.get(key)?.subscriptions ?? [];
    const users = new Set<string>();
    for (const { subscriber } of subscriptions) {
      if (subscriber.userId !== undefined) users.add(subscriber.userId);
    }
    return [...users];
  }

  /** A channel that somebody has on this node. */
  find(key: ChannelKey): HubChannel | undefined {
    return this.#channels.get(key);
  }

  /** Channels on this node whose key is not less than `key`, in order of their keys: across tenants, so the caller has to end it (P2). */
  channelsFrom(key: ChannelKey): Iterable<HubChannel> {
    return this.#ordered.from(key);
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  /** What waits here for something that comes before it, of all channels. */
  get heldBytes(): number {
    return this.#healing.heldBytes;
  }

  close(): void {
    this.#check.close();
    this.#healing.close();
    for (const channel of this.#channels.values()) this.#healing.forget(channel);
  }

  #open(key: ChannelKey): HubChannel {
    const channel = new HubChannel(key, this.#countOf(key));
    channel.ready = this.#broker.subscribe({ key });
    this.#channels.set(key, channel);
    this.#ordered.add(channel);
    this.#check.start();
    return channel;
  }

  /** The next publication of a channel. Hot. */
  #hand(channel: HubChannel, publication: Publication): void {
    const { offset, exclude } = publication;
    channel.moveTo(offset);
    if (channel.joining.size > 0) for (const joining of channel.joining) joining.see(publication);
    const { subscriptions, key, epoch } = channel;
    let frame: Frame | undefined;
    if (subscriptions.length > 0) {
      frame = publicationFrame(publication);
      this.#meter?.begin(subscriptions.length);
      channel.count.delivered += subscriptions.length;
      if (offset <= channel.aheadUntil) fanOutBehind(subscriptions, frame, exclude);
      else if (exclude === undefined) fanOut(subscriptions, frame);
      else fanOutExcept(subscriptions, frame, exclude);
    }
    if (!this.#patterns.isEmpty) this.#deliverToPatterns(key, publication, epoch, frame);
  }

  /** Others here have yet to be handed what it has: they shall get it, and it shall not get it twice. */
  #joinAhead(channel: HubChannel, subscription: Subscription, offset: number): void {
    subscription.startsAfter = offset;
    channel.aheadUntil = Math.max(channel.aheadUntil, offset);
    channel.moveTo(channel.top);
    this.#healing.suspect(channel, offset);
  }

  #startAnew(channel: HubChannel, position: StreamPosition): void {
    const isSame = channel.epoch === position.epoch;
    channel.place(position);
    for (const joining of channel.joining) joining.seen = [];
    const told = { channel: nameOf(channel.key), recovered: false, ...position };
    const frame = frameOf(pushFrame("subscribe", told));
    for (const subscription of channel.subscriptions) {
      const hasIt = isSame && subscription.startsAfter >= position.offset;
      if (!hasIt) subscription.startAnew(position, frame);
    }
    this.#patterns.startAnew(channel.key, position.offset, position.epoch);
  }

  /** One copy each: whoever has the channel itself, or another matching pattern, is marked already. */
  #deliverToPatterns(
    key: ChannelKey,
    publication: Publication,
    epoch: string,
    encoded?: Frame,
  ): void {
    const matching = this.#patterns.follow(key, publication.offset, epoch);
    if (matching.length === 0) return;
    const channel = this.#channels.get(key);
    const delivery = ++this.#deliveries;
    for (const { subscriber } of channel?.subscriptions ?? []) subscriber.lastDelivery = delivery;
    const frame = encoded ?? publicationFrame(publication);
    const count = channel?.count ?? this.#countOf(key);
    for (const { subscriber } of matching) {
      const { connectionId } = subscriber;
      if (subscriber.lastDelivery === delivery || connectionId === publication.exclude) continue;
      subscriber.lastDelivery = delivery;
      count.delivered++;
      const joining = joiningOf(channel, connectionId);
      if (joining === undefined) subscriber.deliver(frame);
      else joining.owe({ subscriber, publication, epoch });
    }
  }

  /**
   * Copies that patterns put off while their connection joined the channel: what the channel gives from `position` on is
   * not given twice, and what it passes over is not lost.
   */
  #payOwed({ owed }: Joining, position: StreamPosition | undefined): void {
    for (const { subscriber, publication, epoch } of owed ?? []) {
      const isGiven = epoch === position?.epoch && publication.offset > position.offset;
      if (!isGiven) subscriber.deliver(publicationFrame(publication));
    }
  }

  #forget(channel: HubChannel): void {
    this.#channels.delete(channel.key);
    this.#ordered.remove(channel.key);
    this.#healing.forget(channel);
  }

  #drop(channel: HubChannel): void {
    if (!channel.unused || this.#channels.get(channel.key) !== channel) return;
    this.#forget(channel);
    this.#broker.unsubscribe({ key: channel.key });
  }
}

function joiningOf(channel: HubChannel | undefined, connectionId: string): Joining | undefined {
  if (channel === undefined || channel.joining.size === 0) return undefined;
  for (const joining of channel.joining) if (joining.connectionId === connectionId) return joining;
  return undefined;
}
