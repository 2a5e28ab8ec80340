/**
 * Empties a node that is about to stop, without a reconnect storm elsewhere (P6): each client is told its own moment to
 * move, evenly over a window; who has not moved by then is closed. Called by the gateway, once.
 */
import { pushFrame } from "@aldis/protocol";
import type { Log } from "../observe/log.ts";
import type { Clock } from "../time/clock.ts";
import type { Connection } from "./connection.ts";

export type DrainOptions = {
  /** All moments lie within this time. */
  readonly windowMs: number;
  /** What is in flight may take so much longer. */
  readonly graceMs: number;
};

export type DrainDeps = {
  readonly clock: Clock;
  /** Evenly from 0 to 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly connections: () => readonly Connection[];
  /** Nothing of it waits for an answer or to be sent. */
  readonly isSettled: (connection: Connection) => boolean;
  /** HTTP requests are still being answered. */
  readonly isAnswering: () => boolean;
};

type Slot = { readonly connection: Connection; readonly atMs: number };

/** How long after its moment a client that stayed is closed: its own clock and the way take some time. */
const MARGIN_MS = 1_000;
const TICK_MS = 20;
/** Told in one turn: writing to everybody at once would hold up the loop, and with it those who are moving. */
const TOLD_PER_TICK = 2_000;
const PROGRESS_MS = 5_000;

/** Done when nobody is left and nothing is being answered, or when the time is over. Does not close who is left then. */
export function drain(deps: DrainDeps, options: DrainOptions): Promise<void> {
  const drained = Promise.withResolvers<void>();
  const { clock, log, connections } = deps;
  const startedMs = clock.monotonicMs();
  const marginMs = Math.min(MARGIN_MS, options.windowMs / 2);
  const slots = planSlots(connections(), deps.random, options.windowMs - marginMs).map(
    ({ connection, atMs }) => ({ connection, atMs: startedMs + atMs }),
  );
  const endMs = startedMs + options.windowMs + options.graceMs;
  let told = 0;
  let due = 0;
  let late: Slot[] = [];
  let progressMs = startedMs;

  function tick(): void {
    const now = clock.monotonicMs();
    for (const end = Math.min(slots.length, told + TOLD_PER_TICK); told < end; told++) {
      tell(slots[told], now);
    }
    for (; due < slots.length; due++) {
      const slot = slots[due];
      if (slot === undefined || slot.atMs + marginMs > now) break;
      late.push(slot);
    }
    late = late.filter((slot) => !closeIfSettled(slot, now));
    const left = connections().length;
    if ((left === 0 && !deps.isAnswering()) || now >= endMs) {
      log.info({ left, ms: Math.round(now - startedMs) }, "drained");
      return drained.resolve();
    }
    if (now >= progressMs + PROGRESS_MS) {
      progressMs = now;
      log.info({ left }, "draining");
    }
    clock.setTimer(TICK_MS, tick);
  }

  function closeIfSettled({ connection, atMs }: Slot, now: number): boolean {
    if (now < atMs + marginMs + options.graceMs && !deps.isSettled(connection)) return false;
    connection.close("stopping");
    return true;
  }

  log.info({ left: slots.length, windowMs: options.windowMs }, "draining");
  tick();
  return drained.promise;
}

/** DR2. Before its `welcome` a client understands no push: it is closed at its moment like who stayed. */
function tell(slot: Slot | undefined, now: number): void {
  if (slot === undefined || slot.connection.closing) return;
  const { connection, atMs } = slot;
  if (!connection.session.authenticated) return;
  const afterMs = Math.max(0, Math.round(atMs - now));
  connection.sendUrgent(pushFrame("reconnect", { afterMs }));
}

/**
 * A moment for each, in order: the time is cut into as many pieces as there are connections, and each gets a random place in a
 * random piece, so that neither age nor order of opening decides who comes where next.
 */
export function planSlots<T>(
  connections: readonly T[],
  random: () => number,
  spanMs: number,
): { readonly connection: T; readonly atMs: number }[] {
  const shuffled = [...connections];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [shuffled[i], shuffled[j]];
    if (a === undefined || b === undefined) continue;
    shuffled[i] = b;
    shuffled[j] = a;
  }
  const pieceMs = spanMs / Math.max(1, shuffled.length);
  return shuffled.map((connection, i) => ({ connection, atMs: (i + random()) * pieceMs }));
}
