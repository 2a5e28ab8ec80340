/**
 * What this node holds. Hooks say what is so in the turn in which it becomes so; the records follow, as fast as the store takes them. What comes back within its grace time costs nothing. What
 * comes and goes while the store is away is told when that is back.
 */
import { type Clock, createDeadlines, type TenantId } from "../../plugins/index.ts";
import {
  canWait,
  createHeldThing,
  type HeldThing,
  isHere,
  isToBeMadeGood,
  type Presence,
} from "./held-thing.ts";
import type { Thing } from "./lives.ts";
import type { About } from "./records.ts";
import { hasRoom } from "./room.ts";
import { ThingsWriter, type ThingsWriterDeps } from "./things-writer.ts";

export type HeldThingsDeps = Omit<ThingsWriterDeps, "onKept" | "onOver" | "count"> & {
  readonly clock: Clock;
  count(event: "things_not_held" | "things_not_told" | "thing_failed"): void;
};

export type HeldThingsOptions = {
  /** Things that a node holds at most; a tenant alone nine tenths of them. */
  readonly max: number;
  /** The same of those that are over before it could be written that they are here. */
  readonly owedMax: number;
  /** Of these so many are written at the same time. */
  readonly inFlight: number;
};

type OfTenant = { readonly things: Map<string, HeldThing>; owed: number };

export class HeldThings {
  readonly #deps: HeldThingsDeps;
  readonly #options: HeldThingsOptions;
  /** By kind and name, for tenants that have any. */
  readonly #tenants = new Map<TenantId, OfTenant>();
  readonly #graces;
  readonly #writer: ThingsWriter;
  #size = 0;
  #owed = 0;

  constructor(deps: HeldThingsDeps, options: HeldThingsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#graces = createDeadlines<HeldThing>(deps.clock, (held) => this.#release(held, "gone"));
    const onKept = (held: HeldThing) => this.#settleDebt(held);
    const onOver = (held: HeldThing) => this.#forget(held);
    this.#writer = new ThingsWriter({ ...deps, onKept, onOver }, options.inFlight);
  }

  get size(): number {
    return this.#size;
  }

  /** Of these over, and not told yet to have been here. */
  get owed(): number {
    return this.#owed;
  }

  /** Whether anything of the tenant's is held here. */
  hasAny(tenant: TenantId): boolean {
    return this.#tenants.has(tenant);
  }

  /** It is here; if it is written within `silentMs`, nobody is told that it began: it did before anybody was to hear of it. Attack: ever new channels; beyond the bound they are not held, and nothing is told of them. */
  take(thing: Thing, about: About, silentMs = 0): void {
    const held = this.#find(thing);
    if (held === undefined) return this.#add(thing, about, silentMs);
    this.#graces.remove(held);
    if (!isHere(held)) this.#comeBack(held, silentMs);
    else if (held.written === "held") held.silentUntilMs = 0;
    held.presence = "here";
    this.#writer.enqueue(held);
  }

  /** Resolves when it is written that it is here, when that could not be, or after `limitMs`. */
  async written(thing: Thing, limitMs: number): Promise<void> {
    const held = this.#find(thing);
    if (held === undefined || this.#writer.isStoreAway || this.#writer.isDone(held)) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    held.waiting ??= [];
    held.waiting.push(resolve);
    const timer = this.#deps.clock.setTimer(limitMs, resolve);
    await promise;
    timer.cancel();
  }

  /** It is not here any more, and may be back within `graceMs`. */
  letGo(thing: Thing, graceMs: number): void {
    const held = this.#find(thing);
    if (held === undefined || !isHere(held)) return;
    // What nobody knows to have been here needs no grace, and written later than its end elsewhere it would have a second one.
    const isUnknown = canWait(held) && held.holders.length === 0 && !held.isWriting;
    if (graceMs === 0 || isUnknown) return this.#release(held, "gone");
    held.presence = "away";
    this.#graces.set(held, this.#deps.clock.monotonicMs() + graceMs);
  }

  /** It is over, wherever else it seems to be held. */
  end(thing: Thing): void {
    const held = this.#find(thing);
    if (held !== undefined && held.presence !== "unwanted") this.#release(held, "ended");
  }

  /** Nobody wants to hear of these any more: they are let go without a word, wherever they are. */
  drop(tenant: TenantId, isUnwanted: (thing: Thing) => boolean): void {
    for (const held of this.#tenants.get(tenant)?.things.values() ?? []) {
      if (isUnwanted(held.thing)) this.#release(held, "unwanted");
    }
  }

  /** This node holds by another name from now on: all of it is written anew, and what was written before is let go. */
  takeAnew(): void {
    this.#writer.renamed();
    for (const { things } of this.#tenants.values()) {
      for (const held of things.values()) this.#writer.enqueue(held);
    }
  }

  /** What waits is written first, unless the store is away. What is held stays so in the records: the others see to it. */
  async close(): Promise<void> {
    this.#graces.close();
    await this.#writer.close();
  }

  #find({ tenant, kind, name }: Thing): HeldThing | undefined {
    return this.#tenants.get(tenant)?.things.get(`${kind} ${name}`);
  }

  #add(thing: Thing, about: About, silentMs: number): void {
    const { tenant, kind, name } = thing;
    let its = this.#tenants.get(tenant);
    const [own, used] = [its?.things.size ?? 0, this.#size];
    if (!hasRoom({ own, used, max: this.#options.max })) return this.#deps.count("things_not_held");
    if (its === undefined) {
      its = { things: new Map(), owed: 0 };
      this.#tenants.set(tenant, its);
    }
    const held = createHeldThing(thing, about, Math.floor(this.#deps.clock.nowMs()));
    held.silentUntilMs = this.#fromNow(silentMs);
    its.things.set(`${kind} ${name}`, held);
    this.#size++;
    this.#writer.enqueue(held);
  }

  #comeBack(held: HeldThing, silentMs: number): void {
    // Nobody was told that it was here, and gone: it has been here all the time.
    if (isToBeMadeGood(held)) return this.#settleDebt(held);
    held.cameAtMs = Math.floor(this.#deps.clock.nowMs());
    const mayBeTold = held.presence !== "unwanted" && held.holders.length > 0;
    held.silentUntilMs = mayBeTold ? 0 : this.#fromNow(silentMs);
  }

  #release(held: HeldThing, presence: Presence): void {
    this.#graces.remove(held);
    held.presence = presence;
    held.goneAtMs = Math.floor(this.#deps.clock.nowMs());
    if (isToBeMadeGood(held)) this.#owe(held);
    else this.#settleDebt(held);
    this.#writer.enqueue(held);
  }

  #owe(held: HeldThing): void {
    const its = this.#tenants.get(held.thing.tenant);
    if (held.isOwed || its === undefined) return;
    if (!hasRoom({ own: its.owed, used: this.#owed, max: this.#options.owedMax })) {
      held.written = "leaving";
      return this.#deps.count("things_not_told");
    }
    held.isOwed = true;
    its.owed++;
    this.#owed++;
  }

  #settleDebt(held: HeldThing): void {
    const its = this.#tenants.get(held.thing.tenant);
    if (!held.isOwed || its === undefined) return;
    held.isOwed = false;
    its.owed--;
    this.#owed--;
  }

  #forget(held: HeldThing): void {
    const { tenant, kind, name } = held.thing;
    this.#graces.remove(held);
    this.#settleDebt(held);
    const its = this.#tenants.get(tenant);
    if (its?.things.delete(`${kind} ${name}`) !== true) return;
    this.#size--;
    if (its.things.size === 0) this.#tenants.delete(tenant);
  }

  #fromNow(silentMs: number): number {
    return silentMs === 0 ? 0 : this.#deps.clock.monotonicMs() + silentMs;
  }
}
