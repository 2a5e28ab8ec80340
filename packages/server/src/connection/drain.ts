/**
 * Empties a node without a reconnect storm elsewhere (P6): each client is told its own moment to move, evenly over a window; who has not
 * moved by then is closed. The window may change on the way, as other nodes fill up, come, or drain too. Called by the gateway.
 */
import { pushFrame } from "@aldis/protocol";
import type { Log } from "../observe/log.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { Connection } from "./connection.ts";

export type DrainOptions = {
  /** Nothing lasts longer than this and `graceMs`, whatever the pace. */
  readonly windowMaxMs: number;
  /** What is in flight may take so much longer. */
  readonly graceMs: number;
};

export type Pace = {
  /** All moments would lie within this time if it stayed so. */
  readonly windowMs: number;
  /** How long before its moment a client is told: no longer than the pace is known to hold. */
  readonly leadMs: number;
};

export type DrainDeps = {
  readonly clock: Clock;
  /** Evenly from 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly connections: () => readonly Connection[];
  /** Asked again and again; `count` clients are to move. */
  readonly pace: (count: number) => Pace;
  /** Tells a client its moment. */
  readonly tell: (connection: Connection, inMs: number) => void;
  /** Nothing of it waits for an answer or to be sent. */
  readonly isSettled: (connection: Connection) => boolean;
  /** HTTP requests are still being answered. */
  readonly isAnswering: () => boolean;
};

/** `place` is where its moment lies in the window, from 0 to 1; the moment itself is known once it was told. */
type Slot = { readonly connection: Connection; readonly place: number; atMs: number };

export type Drain = {
  /** Nobody is left and nothing is being answered, or the time is over, or it was cancelled. Does not close who is left then. */
  readonly done: Promise<void>;
  /** Nobody else is told or closed. Those who were told may still go. */
  cancel(): void;
};

/** How long after its moment a client that stayed is closed, in a window of at least twice that: its own clock and the way take some time. */
export const MARGIN_MS = 1_000;
const TICK_MS = 20;
/** Told in one turn: writing to everybody at once would hold up the loop, and with it those who are moving. */
const TOLD_PER_TICK = 2_000;
const PROGRESS_MS = 5_000;

export function startDrain(deps: DrainDeps, options: DrainOptions): Drain {
  const drain = new RunningDrain(deps, options);
  drain.tick();
  return drain;
}

class RunningDrain implements Drain {
  readonly done: Promise<void>;
  readonly #deps: DrainDeps;
  readonly #options: DrainOptions;
  readonly #resolve: () => void;
  readonly #slots: readonly Slot[];
  readonly #startedMs: number;
  /** How much of the window is over, from 0 to 1. */
  #progress = 0;
  #tickedMs: number;
  #reportedMs: number;
  #told = 0;
  /** Of the last one that was told. */
  #lastPlace = 0;
  #lastMs: number;
  #due = 0;
  #late: Slot[] = [];
  #timer: Timer | undefined;

  constructor(deps: DrainDeps, options: DrainOptions) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#resolve = resolve;
    this.#deps = deps;
    this.#options = options;
    this.#startedMs = deps.clock.monotonicMs();
    this.#tickedMs = this.#startedMs;
    this.#lastMs = this.#startedMs;
    this.#reportedMs = this.#startedMs;
    this.#slots = planSlots(deps.connections(), deps.random);
    const { windowMs } = deps.pace(this.#slots.length);
    deps.log.info({ left: this.#slots.length, windowMs: Math.round(windowMs) }, "draining");
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#resolve();
  }

  tick(): void {
    const { clock, log, connections, isAnswering } = this.#deps;
    const now = clock.monotonicMs();
    const pace = this.#deps.pace(this.#slots.length);
    const marginMs = Math.min(MARGIN_MS, pace.windowMs / 2);
    const spanMs = pace.windowMs - marginMs;
    this.#progress += (now - this.#tickedMs) / spanMs;
    this.#tickedMs = now;
    this.#tellNext(now, spanMs, pace.leadMs);
    this.#closeLate(now, marginMs);
    const left = connections().length;
    const endMs = this.#startedMs + this.#options.windowMaxMs + this.#options.graceMs;
    if ((left === 0 && !isAnswering()) || now >= endMs) {
      log.info({ left, ms: Math.round(now - this.#startedMs) }, "drained");
      return this.#resolve();
    }
    if (now >= this.#reportedMs + PROGRESS_MS) {
      this.#reportedMs = now;
      log.info({ left }, "draining");
    }
    this.#timer = clock.setTimer(TICK_MS, () => this.tick());
  }

  /**
   * Those whose moment is near enough, each once. Nobody comes before who was told earlier: when the pace rises, the others would have both at
   * the same time.
   */
  #tellNext(now: number, spanMs: number, leadMs: number): void {
    const end = Math.min(this.#slots.length, this.#told + TOLD_PER_TICK);
    for (; this.#told < end; this.#told++) {
      const slot = this.#slots[this.#told];
      if (slot === undefined) return;
      const afterLastMs = this.#lastMs + (slot.place - this.#lastPlace) * spanMs;
      const atMs = Math.max(now + (slot.place - this.#progress) * spanMs, afterLastMs);
      if (atMs > now + leadMs) return;
      slot.atMs = atMs;
      this.#lastMs = atMs;
      this.#lastPlace = slot.place;
      if (!slot.connection.closing) this.#deps.tell(slot.connection, slot.atMs - now);
    }
  }

  #closeLate(now: number, marginMs: number): void {
    for (; this.#due < this.#told; this.#due++) {
      const slot = this.#slots[this.#due];
      if (slot === undefined || slot.atMs + marginMs > now) break;
      this.#late.push(slot);
    }
    const { graceMs } = this.#options;
    this.#late = this.#late.filter(({ connection, atMs }) => {
      if (now < atMs + marginMs + graceMs && !this.#deps.isSettled(connection)) return true;
      connection.close("stopping");
      return false;
    });
  }
}

/**
 * DR2. Urgent: a slow client hears it before what waits for it. Before its `welcome` a client understands no push: it is closed at its moment like
 * who stayed.
 */
export function tellToMove(connection: Connection, inMs: number): void {
  if (!connection.session.authenticated) return;
  const afterMs = Math.max(0, Math.round(inMs));
  connection.sendUrgent(pushFrame("reconnect", { afterMs }));
}

/**
 * A place for each, in order: the window is cut into as many pieces as there are connections, and each gets a random place in a
 * random piece, so that neither age nor order of opening decides who comes where next.
 */
export function planSlots<T>(
  connections: readonly T[],
  random: () => number,
): { readonly connection: T; readonly place: number; atMs: number }[] {
  const shuffled = shuffle(connections, random);
  const piece = 1 / Math.max(1, shuffled.length);
  return shuffled.map((connection, i) => ({ connection, place: (i + random()) * piece, atMs: 0 }));
}

/** A copy in random order (Fisher–Yates). */
export function shuffle<T>(list: readonly T[], random: () => number): T[] {
  const shuffled = [...list];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [shuffled[i], shuffled[j]];
    if (a === undefined || b === undefined) continue;
    shuffled[i] = b;
    shuffled[j] = a;
  }
  return shuffled;
}
