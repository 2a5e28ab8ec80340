import { pushFrame } from "@aldis/protocol";
import { getOrCreate } from "../get-or-create.ts";
import type { ChannelKey } from "../tenant/tenant.ts";
import { FollowedChannels } from "./followed-channels.ts";
import { type Frame, frameOf } from "./frame.ts";
import type { Subscription } from "./subscription.ts";

/**
 * Subscriptions to patterns, by the key prefix that they match. A tenant and namespace is the first part of
 * every prefix, so a publication looks only at the patterns of its own namespace.
 */
export class Patterns {
  /** `tenant/namespace:` → prefix → subscriptions. */
  readonly #byNamespace = new Map<string, Map<string, Set<Subscription>>>();
  readonly #followed = new FollowedChannels();

  add(prefix: string, subscription: Subscription): void {
    const prefixes = getOrCreate(this.#byNamespace, namespacePart(prefix), () => new Map());
    getOrCreate(prefixes, prefix, () => new Set()).add(subscription);
  }

  /** Returns false when it was not there. */
  remove(prefix: string, subscription: Subscription): boolean {
    const namespace = namespacePart(prefix);
    const prefixes = this.#byNamespace.get(namespace);
    const subscriptions = prefixes?.get(prefix);
    if (!subscriptions?.delete(subscription)) return false;
    if (subscriptions.size > 0) return true;
    prefixes?.delete(prefix);
    this.#followed.forget(prefix);
    if (prefixes?.size === 0) this.#byNamespace.delete(namespace);
    return true;
  }

  get isEmpty(): boolean {
    return this.#byNamespace.size === 0;
  }

  /** Every subscription whose pattern matches `key`; a subscriber may be there more than once. */
  matching(key: string): Subscription[] {
    const found: Subscription[] = [];
    for (const [prefix, subscriptions] of this.#byNamespace.get(namespacePart(key)) ?? []) {
      if (key.startsWith(prefix)) found.push(...subscriptions);
    }
    return found;
  }

  /** To whom a publication of a channel is to go. Those who have missed what was before it are told first. */
  follow(key: ChannelKey, offset: number, epoch: string): readonly Subscription[] {
    const matching = this.matching(key);
    if (matching.length === 0) return matching;
    const how = this.#followed.note(key, offset, epoch);
    if (how === "repeat") return [];
    if (how === "missed") tellMissed(matching);
    return matching;
  }

  /** A channel goes on after a place, and what was before it is lost. */
  startAnew(key: ChannelKey, offset: number, epoch: string): void {
    this.#followed.moveTo(key, offset, epoch);
    tellMissed(this.matching(key));
  }

  /** All of them may have missed something. */
  tellAllMissed(): void {
    for (const prefixes of this.#byNamespace.values()) {
      for (const subscriptions of prefixes.values()) tellMissed(subscriptions);
    }
  }
}

/** Patterns have no position: they hear as much as they did when they subscribed (SU6). */
function tellMissed(subscriptions: Iterable<Subscription>): void {
  const frames = new Map<string, Frame>();
  for (const subscription of subscriptions) {
    const { name } = subscription;
    const told = () => frameOf(pushFrame("subscribe", { channel: name, recovered: false }));
    subscription.tell(getOrCreate(frames, name, told));
  }
}

/** `tenant/orders:` out of `tenant/orders:eu-1`. Every pattern has a namespace (docs/protocol.md CN2). */
function namespacePart(keyOrPrefix: string): string {
  return keyOrPrefix.slice(0, keyOrPrefix.indexOf(":") + 1);
}
