/**
 * What this node holds, and what of it has still to be written. Hooks say what is so in the turn in which it becomes so; the records follow, a thing's one after another, as fast as the
 * store takes them. What comes back within its grace time costs nothing.
 */
import {
  type Awaitable,
  type Clock,
  createDeadlines,
  type Due,
  type TenantId,
  type Timer,
  Unavailable,
} from "../../plugins/index.ts";
import type { Lives, Thing } from "./lives.ts";
import type { About } from "./records.ts";

export type HeldThingsDeps = {
  readonly clock: Clock;
  readonly lives: Pick<Lives, "take" | "letGo" | "end" | "drop">;
  /** Whether anybody is to hear of it: asked once for each that is new, when that can be known. Rejects with `Unavailable`. */
  isWanted(thing: Thing): Awaitable<boolean>;
  /** What it holds by from now on, where the others find it. Rejects with `Unavailable`. */
  holderFor(tenant: TenantId): Awaitable<string>;
  count(event: "things_not_held" | "thing_failed"): void;
  onFault(error: unknown): void;
};

export type HeldThingsOptions = {
  /** Things that a node holds at most. */
  readonly max: number;
  /** Of these so many are written at the same time; of those that were there before, a quarter of it, and only while no others wait. */
  readonly inFlight: number;
};

const RETRY_MS = 1_000;
const LATER_SHARE = 4;

type Held = Due & {
  readonly thing: Thing;
  about: About;
  /** It was there before anybody was to hear of it, and if it is written by then nobody is told that it began; 0: they are. */
  silentUntilMs: number;
  /** How often it was taken: an answer from before is not about it. */
  takes: number;
  /** It is held, or its grace time is not over. */
  wanted: boolean;
  /** Over for all, whoever else holds it. */
  ended: boolean;
  /** Nobody wants to hear of it any more. */
  dropped: boolean;
  /** It may be written that these hold it; the last is the one that is to. */
  holders: string[];
  /** It is written that the last does. */
  taken: boolean;
  /** It waits for its turn, or is being written. */
  queued: boolean;
  /** Those who want to know that it is written. */
  waiting: (() => void)[] | undefined;
};

export class HeldThings {
  readonly #deps: HeldThingsDeps;
  readonly #options: HeldThingsOptions;
  /** By kind and name, for tenants that have any. */
  readonly #tenants = new Map<TenantId, Map<string, Held>>();
  readonly #graces;
  /** In order. A set, as a storm of reconnects makes it long. */
  readonly #queue = new Set<Held>();
  /** What was there before: others do not wait for it. */
  readonly #later = new Set<Held>();
  #failed: Held[] = [];
  #retry: Timer | undefined;
  #size = 0;
  #writing = 0;
  #writingLater = 0;
  #closed = false;
  #idle: (() => void) | undefined;

  constructor(deps: HeldThingsDeps, options: HeldThingsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#graces = createDeadlines<Held>(deps.clock, (held) => this.#release(held));
  }

  get size(): number {
    return this.#size;
  }

  /** Whether anything of the tenant's is held here. */
  hasAny(tenant: TenantId): boolean {
    return this.#tenants.has(tenant);
  }

  has(thing: Thing): boolean {
    return this.#find(thing) !== undefined;
  }

  /** It is here; if it is written within `silentMs`, nobody is told that it began: it did before anybody was to hear of it. Attack: ever new channels; beyond the bound they are not held, and nothing is told of them. */
  take(thing: Thing, about: About, silentMs = 0): void {
    let held = this.#find(thing);
    if (held === undefined) {
      if (this.#size >= this.#options.max) return this.#deps.count("things_not_held");
      held = this.#add(thing, about);
    }
    if (!held.wanted || held.takes === 0) {
      const isBeingTold = held.holders.length > 0 && !held.dropped;
      held.silentUntilMs = isBeingTold ? 0 : this.#fromNow(silentMs);
    }
    held.takes++;
    this.#graces.remove(held);
    held.wanted = true;
    held.ended = false;
    held.dropped = false;
    if (!held.taken) this.#enqueue(held);
  }

  /** Resolves when it is written that it is here, when that could not be, or after `limitMs`. */
  async written(thing: Thing, limitMs: number): Promise<void> {
    const held = this.#find(thing);
    if (held === undefined || !held.queued) return;
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
    if (held === undefined) return;
    // What nobody knows to have been here needs no grace, and written later than its end elsewhere it would have a second one.
    const isUnknown = this.#later.has(held) && held.holders.length === 0;
    if (graceMs === 0 || isUnknown) return this.#release(held);
    this.#graces.set(held, this.#deps.clock.monotonicMs() + graceMs);
  }

  /** It is over, wherever else it seems to be held. */
  end(thing: Thing): void {
    const held = this.#find(thing);
    if (held === undefined) return;
    held.ended = true;
    this.#release(held);
  }

  /** Nobody wants to hear of these any more: they are let go without a word, wherever they are. */
  drop(tenant: TenantId, isUnwanted: (thing: Thing) => boolean): void {
    for (const held of this.#tenants.get(tenant)?.values() ?? []) {
      if (!isUnwanted(held.thing)) continue;
      held.dropped = true;
      this.#release(held);
    }
  }

  /** This node holds by another name from now on: all of it is written anew, and what was written before is let go. */
  takeAnew(): void {
    for (const things of this.#tenants.values()) {
      for (const held of things.values()) {
        held.taken = false;
        this.#enqueue(held);
      }
    }
  }

  /** What is being written ends first. What is held stays so in the records: the others see to it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#graces.close();
    this.#retry?.cancel();
    if (this.#writing === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = resolve;
    await promise;
  }

  #find({ tenant, kind, name }: Thing): Held | undefined {
    return this.#tenants.get(tenant)?.get(`${kind} ${name}`);
  }

  #add(thing: Thing, about: About): Held {
    const { tenant, kind, name } = thing;
    let things = this.#tenants.get(tenant);
    if (things === undefined) {
      things = new Map();
      this.#tenants.set(tenant, things);
    }
    const held: Held = {
      ...{ thing, about, silentUntilMs: 0, takes: 0, wanted: true, ended: false, dropped: false },
      ...{ holders: [], taken: false, queued: false },
      ...{ waiting: undefined, dueAtMs: 0, heapIndex: -1 },
    };
    things.set(`${kind} ${name}`, held);
    this.#size++;
    return held;
  }

  #forget({ thing: { tenant, kind, name } }: Held): void {
    const things = this.#tenants.get(tenant);
    if (things?.delete(`${kind} ${name}`) !== true) return;
    this.#size--;
    if (things.size === 0) this.#tenants.delete(tenant);
  }

  #release(held: Held): void {
    this.#graces.remove(held);
    held.wanted = false;
    this.#enqueue(held);
  }

  #enqueue(held: Held): void {
    if (held.queued) return;
    held.queued = true;
    this.#line(held).add(held);
    this.#fill();
  }

  #line(held: Held): Set<Held> {
    return canWait(held) ? this.#later : this.#queue;
  }

  #fromNow(silentMs: number): number {
    return silentMs === 0 ? 0 : this.#deps.clock.monotonicMs() + silentMs;
  }

  #fill(): void {
    while (!this.#closed && this.#writing < this.#options.inFlight) {
      const held = this.#next();
      if (held === undefined) return;
      this.#writing++;
      void this.#write(held);
    }
  }

  #next(): Held | undefined {
    const [first] = this.#queue;
    if (first !== undefined) {
      this.#queue.delete(first);
      return first;
    }
    // Attack: an endpoint that is added where ten thousand are, time and again: whoever comes meanwhile finds the store free.
    if (this.#writingLater * LATER_SHARE >= this.#options.inFlight) return undefined;
    const [later] = this.#later;
    if (later !== undefined) this.#later.delete(later);
    return later;
  }

  async #write(held: Held): Promise<void> {
    const later = canWait(held) ? 1 : 0;
    this.#writingLater += later;
    try {
      await this.#settle(held);
    } catch (error) {
      this.#deps.count("thing_failed");
      if (!(error instanceof Unavailable)) this.#deps.onFault(error);
      this.#failed.push(held);
      this.#planRetry();
    } finally {
      for (const tell of held.waiting?.splice(0) ?? []) tell();
      this.#writing--;
      this.#writingLater -= later;
      this.#fill();
      if (this.#closed && this.#writing === 0) this.#idle?.();
    }
  }

  #planRetry(): void {
    if (this.#closed) return;
    this.#retry ??= this.#deps.clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined;
      for (const held of this.#failed.splice(0)) this.#line(held).add(held);
      this.#fill();
    });
  }

  /** Writes until the records say what is so, as it is by then. */
  async #settle(held: Held): Promise<void> {
    for (;;) {
      if (!held.wanted) {
        await this.#writeGone(held);
        if (held.wanted) continue;
        // In this turn: what changes from now on is a new one, or queued again.
        held.queued = false;
        return this.#forget(held);
      }
      if (held.taken) {
        held.queued = false;
        return;
      }
      const { takes } = held;
      if (held.holders.length === 0 && !(await this.#deps.isWanted(held.thing))) {
        if (held.takes === takes) held.wanted = false;
        continue;
      }
      await this.#writeTaken(held);
    }
  }

  async #writeTaken(held: Held): Promise<void> {
    const { thing, holders, about } = held;
    const holder = await this.#deps.holderFor(thing.tenant);
    // After a while it may have been told to be over: this node may have stood still.
    const silent = this.#deps.clock.monotonicMs() < held.silentUntilMs;
    if (holders.at(-1) !== holder) holders.push(holder);
    held.taken = true;
    try {
      await this.#deps.lives.take(thing, holder, { about, silent });
      // If it is taken anew, it was told to be over.
      held.silentUntilMs = 0;
    } catch (error) {
      held.taken = false;
      throw error;
    }
    // Under its former names last: in between nobody finds it held by none.
    while (holders.length > 1) {
      const [former = ""] = holders;
      await this.#deps.lives.letGo(thing, former);
      holders.shift();
    }
  }

  async #writeGone(held: Held): Promise<void> {
    const { thing, holders } = held;
    const how = held.dropped ? "drop" : held.ended ? "end" : "letGo";
    held.taken = false;
    while (holders.length > 0) {
      const holder = holders.at(-1) ?? "";
      await this.#deps.lives[how](thing, holder);
      holders.pop();
    }
  }
}

/** What was there before an endpoint, or is after it: nobody is waiting to be told. */
function canWait({ silentUntilMs, dropped }: Held): boolean {
  return silentUntilMs > 0 || dropped;
}
