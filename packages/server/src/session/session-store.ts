import type { Awaitable } from "../awaitable.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { ParkedSession } from "./parking.ts";

/** Keeps sessions between two connections. A session is taken at most once. */
export type SessionStore = {
  park(id: string, session: ParkedSession): void;
  /**
   * Gives the session out and forgets it, in one step. Undefined when there is none, its time is over, or it is
   * not `wanted`: then it stays, so that nobody ends what is not theirs.
   */
  take(
    id: string,
    wanted: (session: ParkedSession) => boolean,
  ): Awaitable<ParkedSession | undefined>;
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
    take(id, wanted) {
      const entry = parked.get(id);
      if (entry === undefined || entry.untilMs <= clock.monotonicMs()) return undefined;
      if (!wanted(entry.session)) return undefined;
      parked.delete(id);
      return entry.session;
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
