import type { StreamPosition } from "@aldis/protocol";
import type { Awaitable } from "../awaitable.ts";
import type { Broker, Publication } from "../broker/broker.ts";
import { OrderedList } from "../ordered-list.ts";
import type { ChannelKey } from "../tenant/tenant.ts";
import { fanOut, fanOutExcept, fanOutExceptUser } from "./fan-out.ts";
import { type Frame, publicationFrame } from "./frame.ts";
import { HubChannel, type Joining } from "./hub-channel.ts";
import { Patterns } from "./patterns.ts";
import type { Subscription } from "./subscription.ts";

/** Hears of each publication that has subscribers here, with their number, before they are handed it. Hot. */
export type HubMeter = { begin(subscribers: number): void };

/**
 * Who is subscribed on this node. Channels exist here only while somebody subscribes, and that is also this node's
 * interest at the broker. Called by the broker (`deliver`), by subscribe and unsubscribe, and by features
 * that push to a channel.
 */
export class Hub {
  readonly #channels = new Map<ChannelKey, HubChannel>();
  /** The same by their keys, for lists that are read in pages. */
  readonly #ordered = new OrderedList<ChannelKey, HubChannel>((channel) => channel.key);
  readonly #patterns = new Patterns();
  readonly #interest: Pick<Broker, "subscribe" | "unsubscribe">;
  readonly #meter: HubMeter | undefined;
  #deliveries = 0;

  constructor(interest: Pick<Broker, "subscribe" | "unsubscribe">, meter?: HubMeter) {
    this.#interest = interest;
    this.#meter = meter;
  }

  /**
   * First step of joining: from the moment that the answer is there, what is published is kept in `seen`
   * until {@link join} or {@link abandon}. Between the two the caller reads the history (no gap
   * between history and live, without locks).
   */
  startJoining(key: ChannelKey): Awaitable<Joining> {
    const channel = this.#channels.get(key) ?? this.#open(key);
    const joining: Joining = { channel, seen: [] };
    channel.joining.add(joining);
    if (!(channel.ready instanceof Promise)) return joining;
    return channel.ready.then(
      () => joining,
      (error: unknown) => {
        channel.joining.delete(joining);
        if (this.#channels.get(key) === channel) this.#forget(key);
        throw error;
      },
    );
  }

  /**
   * Second step: the subscription stands at `position` and gets all that came after it, first what was
   * seen meanwhile, then live. Returns what was seen meanwhile, in order, for the caller to send in this same turn.
   */
  join(joining: Joining, subscription: Subscription, position: StreamPosition): Publication[] {
    const { channel, seen } = joining;
    channel.joining.delete(joining);
    channel.add(subscription);
    if (channel.subscriptions.length === 1) {
      channel.epoch = position.epoch;
      channel.top = position.offset;
    }
    const missed = seen.filter((publication) => publication.offset > position.offset);
    channel.top = Math.max(channel.top, missed.at(-1)?.offset ?? 0);
    return missed;
  }

  abandon(joining: Joining): void {
    joining.channel.joining.delete(joining);
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
    const subscribed = this.#interest.subscribe({ prefix });
    if (subscribed instanceof Promise) {
      return subscribed.then(() => this.#patterns.add(prefix, subscription));
    }
    this.#patterns.add(prefix, subscription);
  }

  leavePattern(prefix: string, subscription: Subscription): void {
    if (this.#patterns.remove(prefix, subscription)) this.#interest.unsubscribe({ prefix });
  }

  /** A publication has come from the broker. */
  deliver(key: ChannelKey, publication: Publication, _epoch: string): void {
    const channel = this.#channels.get(key);
    if (channel === undefined && this.#patterns.isEmpty) return;
    const frame = publicationFrame(publication);
    if (channel !== undefined) {
      for (const joining of channel.joining) joining.seen.push(publication);
      channel.top = publication.offset;
      this.#meter?.begin(channel.subscriptions.length);
      if (publication.exclude === undefined) fanOut(channel.subscriptions, frame);
      else fanOutExcept(channel.subscriptions, frame, publication.exclude);
    }
    if (!this.#patterns.isEmpty) this.#deliverToPatterns(key, frame, publication.exclude);
  }

  /** Sends a frame that is no publication (presence, typing) to everyone subscribed to a channel here. */
  push(key: ChannelKey, frame: Frame, but?: { readonly exceptUser: string }): void {
    const channel = this.#channels.get(key);
    if (channel === undefined) return;
    if (but === undefined) fanOut(channel.subscriptions, frame);
    else fanOutExceptUser(channel.subscriptions, frame, but.exceptUser);
  }

  /** How many subscriptions a channel has on this node. */
  subscriberCount(key: ChannelKey): number {
    return this.#channels.get(key)?.subscriptions.length ?? 0;
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

  #open(key: ChannelKey): HubChannel {
    const channel = new HubChannel(key);
    channel.ready = this.#interest.subscribe({ key });
    this.#channels.set(key, channel);
    this.#ordered.add(channel);
    return channel;
  }

  /** One copy each: whoever has the channel itself, or another matching pattern, is marked already. */
  #deliverToPatterns(key: ChannelKey, frame: Frame, exclude: string | undefined): void {
    const matching = this.#patterns.matching(key);
    if (matching.length === 0) return;
    const delivery = ++this.#deliveries;
    for (const { subscriber } of this.#channels.get(key)?.subscriptions ?? []) {
      subscriber.lastDelivery = delivery;
    }
    for (const { subscriber } of matching) {
      if (subscriber.lastDelivery === delivery || subscriber.connectionId === exclude) continue;
      subscriber.lastDelivery = delivery;
      subscriber.deliver(frame);
    }
  }

  #forget(key: ChannelKey): void {
    this.#channels.delete(key);
    this.#ordered.remove(key);
  }

  #drop(channel: HubChannel): void {
    if (!channel.unused || this.#channels.get(channel.key) !== channel) return;
    this.#forget(channel.key);
    this.#interest.unsubscribe({ key: channel.key });
  }
}
