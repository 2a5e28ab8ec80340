import type { Awaitable } from "../awaitable.ts";
import type { Publication } from "../broker/broker.ts";
import type { ChannelKey } from "../tenant/tenant.ts";
import type { Subscription } from "./subscription.ts";

/** What came in for a channel while someone reads its history to join it. */
export type Joining = { readonly channel: HubChannel; readonly seen: Publication[] };

/** This node's side of a channel: who is subscribed here and how far they have been served. */
export class HubChannel {
  readonly key: ChannelKey;
  /** Dense, so that fan-out is one walk over an array; order means nothing. */
  readonly subscriptions: Subscription[] = [];
  readonly joining = new Set<Joining>();
  /** Done when this node has interest at the broker; everyone who joins waits for the same answer. */
  ready: Awaitable<void> = undefined;
  epoch = "";
  /** The offset of the latest publication handed to the subscribers. */
  top = 0;

  constructor(key: ChannelKey) {
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

  get unused(): boolean {
    return this.subscriptions.length === 0 && this.joining.size === 0;
  }
}
