import type { StreamPosition } from "@aldis/protocol";
import type { Awaitable } from "../awaitable.ts";
import type { Publication } from "../broker/broker.ts";
import type { ChannelKey } from "../tenant/tenant.ts";
import { publicationFrame } from "./frame.ts";
import type { Gap } from "./gap.ts";
import type { HeldPublications } from "./held-publications.ts";
import type { Subscriber, Subscription } from "./subscription.ts";

/** Publications times the subscribers that they were handed to. */
export type DeliveryCount = { delivered: number };

/** A copy that a pattern gives, put off until it is known whether the channel itself gives it. */
export type OwedCopy = {
  readonly subscriber: Subscriber;
  readonly publication: Publication;
  readonly epoch: string;
};

/** What came in for a channel while someone reads its history to join it. */
export class Joining {
  readonly channel: HubChannel;
  readonly connectionId: string;
  /** What was handed on since the reading began, in order. */
  seen: Publication[] = [];
  owed: OwedCopy[] | undefined;

  constructor(channel: HubChannel, connectionId: string) {
    this.channel = channel;
    this.connectionId = connectionId;
  }

  /** Too many are not put off: then one may come twice. */
  owe(copy: OwedCopy): void {
    this.owed ??= [];
    if (this.owed.length < SEEN_MAX) this.owed.push(copy);
    else copy.subscriber.deliver(publicationFrame(copy.publication));
  }

  /** What does not fit is read again. */
  see(publication: Publication): void {
    if (this.seen.length >= SEEN_MAX) this.seen = [];
    this.seen.push(publication);
  }
}

/** Publications that are kept for one who joins. */
const SEEN_MAX = 4_096;

/** This node's side of a channel: who is subscribed here and how far they have been served. */
export class HubChannel {
  readonly key: ChannelKey;
  /** Of its tenant. */
  readonly count: DeliveryCount;
  /** Dense, so that fan-out is one walk over an array; order means nothing. */
  readonly subscriptions: Subscription[] = [];
  readonly joining = new Set<Joining>();
  /** Done when this node has interest at the broker; everyone who joins waits for the same answer. */
  ready: Awaitable<void> = undefined;
  /** Empty until the first one has joined: where the channel stands is not known before. */
  epoch = "";
  /** The offset of the latest publication handed to the subscribers. */
  top = 0;
  /** The offset that may be handed on without a closer look; 0: none may. */
  next = 0;
  /** Some subscriptions joined ahead of `top`, and have all up to here at most. */
  aheadUntil = 0;
  /** Something is missing, and is being fetched. */
  gap: Gap | undefined;
  held: HeldPublications | undefined;

  constructor(key: ChannelKey, count: DeliveryCount) {
    this.count = count;
    this.key = key;
  }

  add(subscription: Subscription): void {
    subscription.channel = this;
    subscription.index = this.subscriptions.length;
    this.subscriptions.push(subscription);
  }

  /** The last one takes the freed place. */
  remove(subscription: Subscription): void {
    const last = this.subscriptions.pop();
    if (last !== undefined && last !== subscription) {
      this.subscriptions[subscription.index] = last;
      last.index = subscription.index;
    }
    subscription.channel = undefined;
    subscription.index = -1;
  }

  /** All up to `offset` has been handed on. */
  moveTo(offset: number): void {
    this.top = offset;
    this.next = this.gap === undefined && offset >= this.aheadUntil ? offset + 1 : 0;
  }

  /** It stands there from now on, whatever it was before. */
  place({ offset, epoch }: StreamPosition): void {
    if (epoch !== this.epoch) this.aheadUntil = 0;
    this.epoch = epoch;
    this.moveTo(offset);
  }

  get isPlaced(): boolean {
    return this.epoch !== "";
  }

  get unused(): boolean {
    return this.subscriptions.length === 0 && this.joining.size === 0;
  }
}
