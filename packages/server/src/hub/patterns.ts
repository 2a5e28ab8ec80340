import { getOrCreate } from "../get-or-create.ts";
import type { Subscription } from "./subscription.ts";

/**
 * Subscriptions to patterns, by the key prefix that they match. A tenant and namespace is the first part of
 * every prefix, so a publication looks only at the patterns of its own namespace.
 */
export class Patterns {
  /** `tenant/namespace:` → prefix → subscriptions. */
  readonly #byNamespace = new Map<string, Map<string, Set<Subscription>>>();

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
    if (subscriptions.size === 0) prefixes?.delete(prefix);
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
}

/** `tenant/orders:` out of `tenant/orders:eu-1`. Every pattern has a namespace (docs/protocol.md CN2). */
function namespacePart(keyOrPrefix: string): string {
  return keyOrPrefix.slice(0, keyOrPrefix.indexOf(":") + 1);
}
