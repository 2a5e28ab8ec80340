// What others decide about publications, and hear of them. Asked for each publish: without any it is one look at a field.
import type { Payload, Refusal } from "@aldis/protocol";
import type { Awaitable } from "../awaitable.ts";
import type { PublishOutcome } from "../broker/broker.ts";
import { type ChannelKey, type TenantId, tenantOf } from "../tenant/tenant.ts";
import type { PublishRequest } from "./publisher.ts";

export type PublishRefusal = { readonly refusal: Refusal };
/** What is to be published in place of what came; undefined: as it came. */
export type PublishVerdict =
  | { readonly event: string | undefined; readonly data: Payload }
  | PublishRefusal
  | undefined;

export type PublishHooks = {
  /** Decides; never throws and never rejects. Undefined: nobody behind it. */
  publishing?: PublishingHook | undefined;
  /** Heard after a publication has its place; never throws. */
  published?: PublishedHook | undefined;
  /** The publisher is answered after it; never throws and never rejects. */
  recording?: RecordingHook | undefined;
};

export type PublishingHook = {
  /** Whether anybody decides about this tenant's channels of this namespace. */
  concerns(tenant: TenantId, namespace: string): boolean;
  ask(request: PublishRequest): Awaitable<PublishVerdict>;
  /** Publications of this node that may wait for such answers at once, of all tenants. */
  readonly pendingMax: number;
};

/** A publication that has its place; `duplicate`: it had it before. */
export type Placed = Pick<PublishOutcome, "offset" | "epoch" | "duplicate">;

export type PublishedHook = {
  concerns(tenant: TenantId, namespace: string): boolean;
  tell(request: PublishRequest, outcome: Placed): void;
};

export type RecordingHook = {
  concerns(tenant: TenantId, namespace: string): boolean;
  /** Why the publisher is not told that it is published; undefined: it is. */
  ask(request: PublishRequest, outcome: Placed): Awaitable<Refusal | undefined>;
};

/** One tenant has at most so many times what room is left. */
const SHARE = 3;

/**
 * Publications whose hooks answer later are published in the order in which they came, channel by channel. Holds those channels alone that wait at this
 * moment.
 */
export class PublishTurns {
  readonly #tails = new Map<ChannelKey, Promise<void>>();
  readonly #pendingOf = new Map<TenantId, number>();
  #pending = 0;

  /** Publications that wait. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether one more of the tenant's may wait. Attack: a tenant whose backend hangs has so many waiting that nobody else's are taken. */
  hasRoom(tenant: TenantId, max: number): boolean {
    return (this.#pendingOf.get(tenant) ?? 0) < SHARE * (max - this.#pending);
  }

  /** Whether something of this channel waits. */
  has(key: ChannelKey): boolean {
    return this.#tails.has(key);
  }

  /** Calls `run` with what was decided, once all that came before it in the channel has been published or refused. */
  async take<V, T>(
    key: ChannelKey,
    decided: Awaitable<V>,
    run: (decided: V) => Awaitable<T>,
  ): Promise<T> {
    const before = this.#tails.get(key);
    const { promise: tail, resolve: release } = Promise.withResolvers<void>();
    this.#tails.set(key, tail);
    this.#count(tenantOf(key), 1);
    let outcome: Awaitable<T>;
    try {
      const value = await decided;
      await before;
      outcome = run(value);
    } finally {
      // The next one's turn: the broker keeps the order in which it is asked.
      this.#count(tenantOf(key), -1);
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
      release();
    }
    return await outcome;
  }

  #count(tenant: TenantId, by: 1 | -1): void {
    this.#pending += by;
    const own = (this.#pendingOf.get(tenant) ?? 0) + by;
    if (own === 0) this.#pendingOf.delete(tenant);
    else this.#pendingOf.set(tenant, own);
  }
}
