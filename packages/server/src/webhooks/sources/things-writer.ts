/**
 * Writes what a node holds, as it is by then: so many things at a time, of each tenant in its turn, of one tenant in the order in which they came. What the store does not take waits in front, and
 * while it takes nothing one is tried every second.
 */
import {
  type Awaitable,
  type Clock,
  type TenantId,
  type Timer,
  Unavailable,
} from "../../plugins/index.ts";
import { FairLine } from "./fair-line.ts";
import {
  canWait,
  type HeldThing,
  isHere,
  type Leaving,
  nextStep,
  type Step,
} from "./held-thing.ts";
import type { Lives, Thing } from "./lives.ts";

export type ThingsWriterDeps = {
  readonly clock: Clock;
  readonly lives: Pick<Lives, "take" | "retract" | "letGo" | "end" | "drop">;
  /** Resolved: it is known who wants what. Rejects with `Unavailable`. */
  known(): Awaitable<void>;
  /** Whether anybody is to hear of it, once that is known. */
  wants(thing: Thing): boolean;
  /** What it holds by from now on, where the others find it. Rejects with `Unavailable`. */
  holderFor(tenant: TenantId): Awaitable<string>;
  /** It was told that it is here, or need not be any more. */
  onKept(held: HeldThing): void;
  /** It is in no record, and need not be. */
  onOver(held: HeldThing): void;
  count(event: "thing_failed"): void;
  onFault(error: unknown): void;
};

const RETRY_MS = 1_000;
const LATER_SHARE = 4;
/** What takes longer to be written without a word is told: others may have told its end meanwhile. */
const SILENT_MS = 5_000;
/** Failures in a row that mean that the store is away, and not that one call came to nothing. */
const AWAY_FAILURES = 2;

export class ThingsWriter {
  readonly #deps: ThingsWriterDeps;
  readonly #inFlight: number;
  readonly #line = new FairLine<HeldThing>();
  /** What was there before, or is of no interest any more: others do not wait for it. */
  readonly #later = new FairLine<HeldThing>();
  /** No more than are written at the same time. */
  #failed: HeldThing[] = [];
  #failures = 0;
  #retry: Timer | undefined;
  #writing = 0;
  #writingLater = 0;
  /** Counts the names by which this node has held things. */
  #life = 0;
  #closed = false;
  #onIdle: (() => void) | undefined;

  /** `inFlight`: things written at the same time; of those that can wait a quarter of it, and only while no others wait. */
  constructor(deps: ThingsWriterDeps, inFlight: number) {
    this.#deps = deps;
    this.#inFlight = inFlight;
  }

  get isStoreAway(): boolean {
    return this.#failures >= AWAY_FAILURES;
  }

  /** The records say what is so, and that is not being changed. */
  isDone(held: HeldThing): boolean {
    return held.place === undefined && !held.isWriting;
  }

  /** To be called whenever its presence has changed. */
  enqueue(held: HeldThing): void {
    if (held.isWriting) return;
    const step = nextStep(held, this.#life);
    if (step === "forget") {
      this.#dequeue(held);
      return this.#deps.onOver(held);
    }
    if (step === "none") return;
    const line = this.#lineOf(held);
    if (held.place !== undefined && line.has(held.place)) return;
    this.#dequeue(held);
    held.place = line.add(held.thing.tenant, held);
    this.#fill();
  }

  #dequeue(held: HeldThing): void {
    const { place } = held;
    if (place === undefined) return;
    (this.#line.has(place) ? this.#line : this.#later).remove(place);
    held.place = undefined;
  }

  /** This node holds by another name from now on; what it holds is to be enqueued again. */
  renamed(): void {
    this.#life++;
  }

  /** What waits is written first, unless the store is away. Not what can wait: others see to it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    if (this.#isIdle()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    await promise;
  }

  #isIdle(): boolean {
    return this.#writing === 0 && (this.#room() === 0 || this.#line.isEmpty);
  }

  #lineOf(held: HeldThing): FairLine<HeldThing> {
    return canWait(held) ? this.#later : this.#line;
  }

  /** Things that may be written at the same time now. */
  #room(): number {
    if (!this.isStoreAway) return this.#inFlight;
    return this.#retry === undefined && !this.#closed ? 1 : 0;
  }

  #fill(): void {
    while (this.#writing < this.#room()) {
      const held = this.#next();
      if (held === undefined) return;
      this.#writing++;
      void this.#write(held);
    }
  }

  #next(): HeldThing | undefined {
    const first = this.#line.next();
    if (first !== undefined || this.#closed) return first;
    // Attack: an endpoint that is added where ten thousand are, time and again: whoever comes meanwhile finds the store free.
    const isFull = this.#writingLater * LATER_SHARE >= this.#inFlight;
    return isFull ? undefined : this.#later.next();
  }

  async #write(held: HeldThing): Promise<void> {
    const later = canWait(held) ? 1 : 0;
    this.#writingLater += later;
    held.place = undefined;
    held.isWriting = true;
    try {
      await this.#settle(held);
      this.#failures = 0;
    } catch (error) {
      this.#onFailure(held, error);
    } finally {
      for (const tell of held.waiting?.splice(0) ?? []) tell();
      this.#writing--;
      this.#writingLater -= later;
      this.#fill();
      if (this.#closed && this.#isIdle()) this.#onIdle?.();
    }
  }

  #onFailure(held: HeldThing, error: unknown): void {
    this.#deps.count("thing_failed");
    if (error instanceof Unavailable) this.#failures++;
    else this.#deps.onFault(error);
    this.#failed.push(held);
    if (this.#closed) return;
    this.#retry ??= this.#deps.clock.setTimer(RETRY_MS, () => {
      this.#retry = undefined;
      for (const each of this.#failed.splice(0).reverse()) {
        each.isWriting = false;
        each.place = this.#lineOf(each).addFirst(each.thing.tenant, each);
      }
      this.#fill();
    });
  }

  /** Until the records say what is so. */
  async #settle(held: HeldThing): Promise<void> {
    await this.#deps.known();
    for (;;) {
      if (held.holders.length === 0 && !this.#deps.wants(held.thing)) held.presence = "unwanted";
      const step = nextStep(held, this.#life);
      switch (step) {
        case "take":
        case "makeGood":
          await this.#take(held, step);
          break;
        case "letGo":
        case "end":
        case "drop":
        case "retract":
          await this.#leave(held, step);
          break;
        case "forget":
        case "none":
          // In this turn: what changes from now on is queued again, or another one.
          held.isWriting = false;
          if (step === "forget") this.#deps.onOver(held);
          return;
      }
    }
  }

  async #take(held: HeldThing, step: Step): Promise<void> {
    const { thing, holders, about, cameAtMs } = held;
    const life = this.#life;
    const holder = await this.#deps.holderFor(thing.tenant);
    if (nextStep(held, this.#life) !== step) return;
    const { clock } = this.#deps;
    const canBeLate = held.silentUntilMs === Number.POSITIVE_INFINITY;
    const limitMs = canBeLate ? held.silentUntilMs : clock.monotonicMs() + SILENT_MS;
    const untilMs = Math.min(held.silentUntilMs, limitMs);
    const silent = () => clock.monotonicMs() < untilMs;
    if (holders.at(-1) !== holder) holders.push(holder);
    const isPast = step === "makeGood";
    const taken = await this.#deps.lives.take(thing, holder, { about, cameAtMs, silent, isPast });
    held.written = taken ? "held" : "leaving";
    held.heldIn = life;
    // Of what is away already another node may have told the end before this was written: it is retracted then. What is taken anew was told to be over.
    const isInDoubt = taken && held.presence !== "here" && silent();
    if (!isInDoubt || canBeLate) held.silentUntilMs = 0;
    // Who came to want it while it was written was told that it began.
    if (held.presence === "unwanted" && this.#deps.wants(thing)) held.presence = "gone";
    this.#deps.onKept(held);
    if (held.written === "held") await this.#leaveFormer(held);
  }

  /** Under its former names last: in between nobody finds it held by none. */
  async #leaveFormer({ thing, holders }: HeldThing): Promise<void> {
    while (holders.length > 1) {
      const [former = ""] = holders;
      await this.#deps.lives.letGo(thing, former, this.#deps.clock.nowMs());
      holders.shift();
    }
  }

  async #leave(held: HeldThing, step: Leaving): Promise<void> {
    const { thing, holders, goneAtMs } = held;
    held.written = "leaving";
    while (holders.length > 0) {
      const holder = holders.at(-1) ?? "";
      await this.#deps.lives[step](thing, holder, goneAtMs);
      holders.pop();
    }
    // It came back meanwhile: that is told like any other.
    if (isHere(held)) held.written = "nothing";
  }
}
