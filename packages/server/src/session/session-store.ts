import type { Awaitable } from "../awaitable.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { ParkedSession } from "./parking.ts";

/** Keeps sessions between two connections. A session is taken at most once. */
export type SessionStore = {
  park(id: string, session: ParkedSession): void;
  /** Gives the session out and forgets it; undefined when there is none, or its time is over. */
  take(id: string): Awaitable<ParkedSession | undefined>;
  readonly size: number;
  close(): void;
};

export type SessionStoreOptions = { readonly resumeMs: number; readonly parkedMax: number };

const SWEEP_MS = 1_000;

/** In this process's memory. All live equally long, so the oldest are in front: they expire first and are evicted first. */
export function createMemorySessionStore(clock: Clock, options: SessionStoreOptions): SessionStore {
  const parked = new Map<string, { session: ParkedSession; untilMs: number }>();
  let sweeper: Timer | undefined;

  function forgetOld(): void {
    const now = clock.monotonicMs();
    for (const [id, entry] of parked) {
      if (entry.untilMs > now && parked.size <= options.parkedMax) break;
      parked.delete(id);
    }
    sweeper ??= parked.size > 0 ? clock.setTimer(SWEEP_MS, sweep) : undefined;
  }

  function sweep(): void {
    sweeper = undefined;
    forgetOld();
  }

  return {
    park(id, session) {
      if (options.resumeMs === 0) return;
      parked.delete(id);
      parked.set(id, { session, untilMs: clock.monotonicMs() + options.resumeMs });
      forgetOld();
    },
    take(id) {
      const entry = parked.get(id);
      parked.delete(id);
      return entry !== undefined && entry.untilMs > clock.monotonicMs() ? entry.session : undefined;
    },
    get size() {
      return parked.size;
    },
    close() {
      sweeper?.cancel();
      parked.clear();
    },
  };
}
