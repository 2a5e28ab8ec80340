import type { Refusal } from "@aldis/protocol";
import type { PublishRequest } from "../channel/publisher.ts";
import type { ChannelKey, TenantId } from "../tenant/tenant.ts";
import type { Entry } from "./entry-stream.ts";

export type HeldEntry = { readonly entry: Entry; readonly request: PublishRequest };

/** A channel's entries that wait for another attempt, in their order. */
export type HeldChannel = {
  readonly waiting: HeldEntry[];
  /** Of the first one. An outage is not counted: it says nothing about the entry. */
  attempts: number;
  /** Why the first one waits. */
  refusal: Refusal;
  /** Failures in a row, for the pause between them. */
  failures: number;
  dueMs: number;
};

/** Entries that were refused for now: they keep their order within the channel, and hold up no other one. */
export class HeldEntries {
  readonly #channels = new Map<ChannelKey, HeldChannel>();
  readonly #ids = new Set<string>();
  readonly #byTenant = new Map<TenantId, number>();

  get size(): number {
    return this.#ids.size;
  }

  /** How many are of one tenant. */
  sizeOf(tenant: TenantId): number {
    return this.#byTenant.get(tenant) ?? 0;
  }

  hasEntry(id: string): boolean {
    return this.#ids.has(id);
  }

  find(channel: ChannelKey): HeldChannel | undefined {
    return this.#channels.get(channel);
  }

  /** Begins to hold a channel, or gives what is held already. */
  open(channel: ChannelKey, refusal: Refusal, dueMs: number): HeldChannel {
    const known = this.#channels.get(channel);
    if (known !== undefined) return known;
    const held: HeldChannel = { waiting: [], attempts: 0, refusal, failures: 1, dueMs };
    this.#channels.set(channel, held);
    return held;
  }

  push(held: HeldChannel, entry: HeldEntry): void {
    held.waiting.push(entry);
    this.#ids.add(entry.entry.id);
    this.#count(entry, 1);
  }

  /** The first of a channel is done with; the next one starts with no attempts. */
  shift(held: HeldChannel): void {
    const first = held.waiting.shift();
    if (first !== undefined) {
      this.#ids.delete(first.entry.id);
      this.#count(first, -1);
    }
    held.attempts = 0;
    held.failures = 0;
  }

  close(channel: ChannelKey): void {
    this.#channels.delete(channel);
  }

  due(nowMs: number): [ChannelKey, HeldChannel][] {
    return [...this.#channels].filter(([, { dueMs }]) => dueMs <= nowMs);
  }

  /** When the next one is due; undefined: nothing is held. O(channels held). */
  nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#channels.values()) next = Math.min(next ?? dueMs, dueMs);
    return next;
  }

  clear(): void {
    this.#channels.clear();
    this.#ids.clear();
    this.#byTenant.clear();
  }

  #count({ request: { tenant } }: HeldEntry, by: number): void {
    const count = this.sizeOf(tenant) + by;
    if (count === 0) this.#byTenant.delete(tenant);
    else this.#byTenant.set(tenant, count);
  }
}
