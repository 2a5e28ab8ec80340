import type { ChannelName } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Awaitable } from "../awaitable.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { ParkedTable, type UserOf } from "./parked-table.ts";
import { endedIn, type ParkedSession, wantingToken } from "./parking.ts";

export type WithdrawFrom = UserOf & { readonly channel: ChannelName };

/** Who asks for a session. */
export type Wanted = {
  /** Whose token came with the credential; undefined: none did, and the session's own must still hold. */
  readonly bearer: Pick<Identity, "tenant" | "userId"> | undefined;
  /** Unix milliseconds, to judge that by. */
  readonly nowMs: number;
  /** Whether the connection that asks has ended meanwhile: then it is not to have the session. */
  readonly isGone?: () => boolean;
};

/**
 * With a token: whoever has the same user and tenant. Without: as long as the session's own token holds (SE2), and no backend wants another one (AU9).
 */
export function isWanted(
  { identity, tokenWanted }: Pick<LiveSession, "identity"> & { readonly tokenWanted?: boolean },
  { bearer, nowMs }: Wanted,
): boolean {
  if (bearer === undefined) {
    return tokenWanted !== true && (identity.expiresAtMs ?? Number.POSITIVE_INFINITY) > nowMs;
  }
  return identity.tenant === bearer.tenant && identity.userId === bearer.userId;
}

/** How much of a live session its store has yet to hear; the store's alone. `over`: nothing any more. */
export const MARK = { clean: 0, moved: 1, changed: 2, over: 3 } as const;

/** A connected session, as its store sees it. */
export type LiveSession = {
  readonly id: string;
  readonly authenticated: boolean;
  readonly identity: Identity;
  /** As {@link ParkedSession.tokenWanted}. */
  readonly tokenWanted: boolean;
  /** As {@link ParkedSession.turn}. */
  readonly turn: number;
  /** One of {@link MARK}. */
  storeMark: number;
  /** What would be parked if its connection broke now. */
  standing(): ParkedSession;
  /** Ends it and its connection, for another one that goes on with it (SE7). */
  handOver(): ParkedSession;
  /** Ends it and its connection, as another node has it. Its client comes back if it is still there: that node may have had it before. */
  letGo(): void;
};

/** What a session tells of itself while it lives: other subscriptions or rights, or the same further on. */
export type SessionChange = typeof MARK.changed | typeof MARK.moved;

/** Knows the sessions of this node that are connected. */
export type LiveView = {
  readonly size: number;
  bySession(id: string): LiveSession | undefined;
  all(): Iterable<LiveSession>;
};

export type ChangedSessions = readonly (readonly [id: string, session: ParkedSession])[];

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
  /**
   * A backend takes a user out of a channel: their parked sessions of this node are not subscribed to it any more, and may not have it by a backend's word. Gives
   * the sessions that this changed.
   */
  withdraw(whose: WithdrawFrom): ChangedSessions;
  /** A backend wants a new token of a user (AU9): the same for what their parked sessions are resumed by. */
  requireToken(whose: UserOf): ChangedSessions;
  /** The session is over for good (SE8). */
  end(id: string): void;
  /** So are all parked ones of a tenant (TN8). O(those of this node) */
  endAll(tenant: TenantId): void;
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
export type MemorySessionStore = Omit<SessionStore, "take" | "close" | "endAll"> & {
  /** Gives their ids. */
  endAll(tenant: TenantId): readonly string[];
  take(id: string, wanted: Wanted | "anyway"): ParkedSession | undefined;
  /** {@link ParkedSession.turn} of a session that is here. */
  turnOf(id: string): number;
  /** What is here of a session that is another node's, connected or parked, ends. False: nothing was. */
  letGo(id: string): boolean;
  close(): void;
};

const SWEEP_MS = 1_000;

/**
 * In this process's memory. All live equally long, so each tenant's oldest expire first. When there are too many, the oldest of
 * the tenant that has the most is given up (P3).
 */
export function createMemorySessionStore(
  { clock, live, onGivenUp }: MemorySessionStoreDeps,
  options: SessionStoreOptions,
): MemorySessionStore {
  const table = new ParkedTable();
  let sweeper: Timer | undefined;

  function makeRoom(tenant: TenantId): void {
    if (table.size < options.parkedMax) return;
    const first = table.firstToGo(tenant);
    if (first === undefined) return;
    table.forget(first.id);
    onGivenUp?.(first.id);
  }

  function sweep(): void {
    table.forgetExpired(clock.monotonicMs());
    sweeper = table.size > 0 ? clock.setTimer(SWEEP_MS, sweep) : undefined;
  }

  return {
    park(id, session) {
      if (options.resumeMs === 0 || options.parkedMax === 0) return;
      table.forget(id);
      makeRoom(session.identity.tenant);
      table.add({ id, session, untilMs: clock.monotonicMs() + options.resumeMs });
      sweeper ??= clock.setTimer(SWEEP_MS, sweep);
    },
    take(id, wanted) {
      const present = live.bySession(id);
      if (present !== undefined) {
        const may = wanted === "anyway" || isWanted(present, wanted);
        return may ? present.handOver() : undefined;
      }
      const parked = table.get(id);
      if (parked === undefined || parked.untilMs <= clock.monotonicMs()) return undefined;
      if (wanted !== "anyway" && !isWanted(parked.session, wanted)) return undefined;
      table.forget(id);
      return parked.session;
    },
    turnOf: (id) => live.bySession(id)?.turn ?? table.get(id)?.session.turn ?? 0,
    letGo(id) {
      const present = live.bySession(id);
      const isHere = present !== undefined || table.get(id) !== undefined;
      present?.letGo();
      table.forget(id);
      return isHere;
    },
    withdraw: (whose) => table.change(whose, (session) => endedIn(session, whose.channel)),
    requireToken: (whose) => table.change(whose, wantingToken),
    note() {},
    end: (id) => table.forget(id),
    endAll: (tenant) => table.forgetTenant(tenant),
    get size() {
      return table.size;
    },
    close() {
      sweeper?.cancel();
      table.clear();
    },
  };
}
