import type { Awaitable } from "../awaitable.ts";
import { Holding, Shares } from "../tenant/shares.ts";
import type { TenantId } from "../tenant/tenant.ts";
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

type Parked = { readonly id: string; readonly session: ParkedSession; readonly untilMs: number };

/**
 * In this process's memory. All live equally long, so each tenant's oldest expire first. When there are too many, the oldest of
 * the tenant that has the most is given up (P3).
 */
export function createMemorySessionStore(clock: Clock, options: SessionStoreOptions): SessionStore {
  const byId = new Map<string, Holding<Parked>>();
  const shares = new Shares<Parked>();
  let sweeper: Timer | undefined;

  function forget(id: string): void {
    const holding = byId.get(id);
    if (holding === undefined) return;
    byId.delete(id);
    shares.remove(holding);
  }

  function forgetExpired(): void {
    const now = clock.monotonicMs();
    shares.eachTenant(({ id, untilMs }) => {
      if (untilMs > now) return "enough";
      forget(id);
      return "on";
    });
  }

  function makeRoom(tenant: TenantId): void {
    if (byId.size < options.parkedMax) return;
    const first = shares.firstToGo(tenant);
    if (first !== undefined) forget(first.id);
  }

  function sweep(): void {
    forgetExpired();
    sweeper = byId.size > 0 ? clock.setTimer(SWEEP_MS, sweep) : undefined;
  }

  return {
    park(id, session) {
      if (options.resumeMs === 0 || options.parkedMax === 0) return;
      const { tenant } = session.identity;
      forget(id);
      makeRoom(tenant);
      const untilMs = clock.monotonicMs() + options.resumeMs;
      const holding = new Holding<Parked>(tenant, { id, session, untilMs });
      byId.set(id, holding);
      shares.touch(holding, 1);
      sweeper ??= clock.setTimer(SWEEP_MS, sweep);
    },
    take(id, wanted) {
      const parked = byId.get(id)?.what;
      if (parked === undefined || parked.untilMs <= clock.monotonicMs()) return undefined;
      if (!wanted(parked.session)) return undefined;
      forget(id);
      return parked.session;
    },
    get size() {
      return byId.size;
    },
    close() {
      sweeper?.cancel();
      byId.clear();
      shares.clear();
    },
  };
}
