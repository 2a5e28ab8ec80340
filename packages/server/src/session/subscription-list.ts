import type { Subscription } from "../hub/subscription.ts";

/** What a session is subscribed to, by name, in the order in which it was. */
export type SubscriptionView = {
  readonly size: number;
  get(name: string): Subscription | undefined;
  has(name: string): boolean;
  values(): Iterable<Subscription>;
};

/** The first stands alone, and a map comes with the second: an empty map costs more than all else in an idle session. */
export class SubscriptionList implements SubscriptionView {
  #only: Subscription | undefined;
  #many: Map<string, Subscription> | undefined;

  get size(): number {
    if (this.#many !== undefined) return this.#many.size;
    return this.#only === undefined ? 0 : 1;
  }

  get(name: string): Subscription | undefined {
    if (this.#many !== undefined) return this.#many.get(name);
    return this.#only?.name === name ? this.#only : undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  values(): Iterable<Subscription> {
    if (this.#many !== undefined) return this.#many.values();
    return this.#only === undefined ? [] : [this.#only];
  }

  /** In the place of one of the same name, or as the last. */
  add(subscription: Subscription): void {
    const only = this.#only;
    if (this.#many !== undefined) this.#many.set(subscription.name, subscription);
    else if (only === undefined || only.name === subscription.name) this.#only = subscription;
    else {
      this.#only = undefined;
      this.#many = new Map([only, subscription].map((each) => [each.name, each]));
    }
  }

  delete(name: string): void {
    this.#many?.delete(name);
    if (this.#only?.name === name) this.#only = undefined;
  }
}
