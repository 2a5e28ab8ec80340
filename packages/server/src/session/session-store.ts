import type { Identity } from "../auth/identity.ts";
import type { Awaitable } from "../awaitable.ts";
import { Holding, Shares } from "../tenant/shares.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Clock, Timer } from "../time/clock.ts";
import type { ParkedSession } from "./parking.ts";

/** Who asks for a session. */
export type Wanted = {
  /** Whose token came with the credential; undefined: none did, and the session's own must still hold. */
  readonly bearer: Pick<Identity, "tenant" | "userId"> | undefined;
  /** Unix milliseconds, to judge that by. */
  readonly nowMs: number;
};

/** With a token: whoever has the same user and tenant. Without: as long as the session's own token holds (SE2). */
export function isWanted(owner: Identity, { bearer, nowMs }: Wanted): boolean {
  if (bearer === undefined) return (owner.expiresAtMs ?? Number.POSITIVE_INFINITY) > nowMs;
  return owner.tenant === bearer.tenant && owner.userId === bearer.userId;
}

/** How much of a live session its store has yet to hear; the store's alone. `over`: nothing any more. */
export const MARK = { clean: 0, moved: 1, changed: 2, over: 3 } as const;

/** A connected session, as its store sees it. */
export type LiveSession = {
  readonly id: string;
  readonly authenticated: boolean;
  readonly identity: Identity;
  /** One of {@link MARK}. */
  storeMark: number;
  /** What would be parked if its connection broke now. */
  standing(): ParkedSession;
  /** Ends it and its connection, for another one that goes on with it (SE7). */
  handOver(): ParkedSession;
};

/** What a session tells of itself while it lives: other subscriptions or rights, or the same further on. */
export type SessionChange = typeof MARK.changed | typeof MARK.moved;

/** Knows the sessions of this node that are connected. */
export type LiveView = {
  readonly size: number;
  bySession(id: string): LiveSession | undefined;
  all(): Iterable<LiveSession>;
};

/**
 * Keeps sessions, between two connections and, where nodes share them, in case their node dies. A session is taken at most once.
 */
export type SessionStore = {
  /** Its connection broke. */
  park(id: string, session: ParkedSession): void;
  /**
   * Gives the session out, in one step, from the connection that it has or from what was kept, and forgets it here. Undefined when there is none, its time
   * is over, or it is not `wanted`: then it stays, so that nobody ends what is not theirs. Rejects with `BrokerUnavailable` when that cannot be known.
   */
  take(id: string, wanted: Wanted): Awaitable<ParkedSession | undefined>;
  /** A connected session has changed. Asked for each subscription and each proof of delivery: it costs next to nothing. */
  note(session: LiveSession, change: SessionChange): void;
  /** The session is over for good (SE8). */
  end(id: string): void;
  /** Parked sessions of this node. */
  readonly size: number;
  close(): Awaitable<void>;
};

export type SessionStoreOptions = { readonly resumeMs: number; readonly parkedMax: number };

export type MemorySessionStoreDeps = {
  readonly clock: Clock;
  readonly live: Pick<LiveView, "bySession">;
  /** A parked session was given up for lack of room. */
  readonly onGivenUp?: (id: string) => void;
};

/** Answers at once. */
export type MemorySessionStore = Omit<SessionStore, "take" | "close"> & {
  take(id: string, wanted: Wanted | "anyway"): ParkedSession | undefined;
  close(): void;
};

const SWEEP_MS = 1_000;

type Parked = { readonly id: string; readonly session: ParkedSession; readonly untilMs: number };

/**
 * In this process's memory. All live equally long, so each tenant's oldest expire first. When there are too many, the oldest of
 * the tenant that has the most is given up (P3).
 */
export function createMemorySessionStore(
  { clock, live, onGivenUp }: MemorySessionStoreDeps,
  options: SessionStoreOptions,
): MemorySessionStore {
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
    if (first === undefined) return;
    forget(first.id);
    onGivenUp?.(first.id);
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
      const present = live.bySession(id);
      if (present !== undefined) {
        const may = wanted === "anyway" || isWanted(present.identity, wanted);
        return may ? present.handOver() : undefined;
      }
      const parked = byId.get(id)?.what;
      if (parked === undefined || parked.untilMs <= clock.monotonicMs()) return undefined;
      if (wanted !== "anyway" && !isWanted(parked.session.identity, wanted)) return undefined;
      forget(id);
      return parked.session;
    },
    note() {},
    end: forget,
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
