// Who has just connected, and what waits for them. Nothing is kept of a connection for which nothing waits.
import type { NotificationPush, WireNotification } from "@aldis/protocol";
import {
  type Clock,
  type PluginSession,
  type PluginUsers,
  type TenantId,
  type Timer,
  Unavailable,
} from "../plugins/index.ts";
import type { NotificationsConfig } from "./config.ts";
import { FIRST_PLACE, type WaitingPlace } from "./cursor.ts";
import { type ReadingDeps, readWaiting } from "./reading.ts";

export type ArrivalsDeps = {
  readonly clock: Clock;
  readonly config: Pick<NotificationsConfig, "pieceSize" | "lookupsInFlight">;
  readonly reading: ReadingDeps;
  readonly users: Pick<PluginUsers, "push">;
  failed(error: unknown): void;
  count(event: string, by?: number): void;
};

/** Of one session that has more waiting than one piece. */
type Backlog = {
  readonly place: WaitingPlace;
  /** Of the piece it has, those that it has not acknowledged. */
  readonly open: Set<string>;
};

/** One user to be looked up, for all who want to know it: several tabs at once are one read of the store. */
type Lookup = {
  readonly tenant: TenantId;
  readonly user: string;
  readonly sessions: Map<string, PluginSession>;
  /** All connections here are to have what was sent after it; undefined: only `sessions` want to know. */
  sinceMs: number | undefined;
};

/** Together with what one piece may hold of the largest notifications, this leaves most of an outbox free. */
const PIECE_MAX_CHARS = 128 * 1024;
/** The store is away: everybody waits so long. */
const PAUSE_MS = 1_000;

/**
 * Pushes to sessions what waits for their users (NT3). The store is read for so many users at a time; when ten thousand connect at once the others wait
 * their turn, and while it is away all do, so that nobody has to connect anew to hear of it. Its bound is that of the node's connections.
 */
export class Arrivals {
  readonly #deps: ArrivalsDeps;
  readonly #waiting = new Map<string, Lookup>();
  /** By connection. */
  readonly #backlogs = new Map<string, Backlog>();
  /** Being looked up: at most `lookupsInFlight`. */
  readonly #serving = new Set<Lookup>();
  #pause: Timer | undefined;
  #closed = false;

  constructor(deps: ArrivalsDeps) {
    this.#deps = deps;
  }

  /** A session has connected, or wants its next piece. */
  arrive(session: PluginSession): void {
    const { tenant, userId } = session.identity;
    this.#lookupOf(tenant, userId).sessions.set(session.connectionId, session);
    this.#run();
  }

  /** All connections of a user to this node may have missed something. */
  lookAgain(tenant: TenantId, user: string, sinceMs: number): void {
    const lookup = this.#lookupOf(tenant, user);
    lookup.sinceMs = Math.min(lookup.sinceMs ?? sinceMs, sinceMs);
    this.#run();
  }

  leave(tenant: TenantId, user: string, connectionId: string): void {
    this.#backlogs.delete(connectionId);
    const key = `${tenant}/${user}`;
    const lookup = this.#waiting.get(key);
    lookup?.sessions.delete(connectionId);
    if (lookup?.sessions.size === 0 && lookup.sinceMs === undefined) this.#waiting.delete(key);
    for (const serving of this.#serving) serving.sessions.delete(connectionId);
  }

  /** The session has dealt with these. With the last of a piece the next one comes. */
  settled(session: PluginSession, ids: readonly string[] | "all"): void {
    const backlog = this.#backlogs.get(session.connectionId);
    if (backlog === undefined) return;
    if (ids === "all") backlog.open.clear();
    else for (const id of ids) backlog.open.delete(id);
    if (backlog.open.size === 0) this.arrive(session);
  }

  /** How many users wait to be looked up, and connections for their next piece. */
  get sizes(): { readonly lookups: number; readonly backlogs: number } {
    return { lookups: this.#waiting.size, backlogs: this.#backlogs.size };
  }

  close(): void {
    this.#closed = true;
    this.#pause?.cancel();
    this.#waiting.clear();
    this.#backlogs.clear();
  }

  #lookupOf(tenant: TenantId, user: string): Lookup {
    const key = `${tenant}/${user}`;
    let lookup = this.#waiting.get(key);
    if (lookup === undefined) {
      lookup = { tenant, user, sessions: new Map(), sinceMs: undefined };
      this.#waiting.set(key, lookup);
    }
    return lookup;
  }

  #run(): void {
    while (
      !this.#closed &&
      this.#pause === undefined &&
      this.#serving.size < this.#deps.config.lookupsInFlight
    ) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [key, lookup] = next;
      this.#waiting.delete(key);
      this.#serving.add(lookup);
      void this.#serve(lookup).finally(() => {
        this.#serving.delete(lookup);
        this.#run();
      });
    }
  }

  /** Never rejects. */
  async #serve(lookup: Lookup): Promise<void> {
    try {
      await Promise.all([this.#serveSessions(lookup), this.#serveAll(lookup)]);
    } catch (error) {
      if (!(error instanceof Unavailable)) return this.#deps.failed(error);
      this.#deps.count("lookup_failed");
      this.#again(lookup);
    }
  }

  /** Those that came meanwhile for the same user are with them. */
  #again({ tenant, user, sessions, sinceMs }: Lookup): void {
    const lookup = this.#lookupOf(tenant, user);
    for (const [id, session] of sessions) lookup.sessions.set(id, session);
    if (sinceMs !== undefined) lookup.sinceMs = Math.min(lookup.sinceMs ?? sinceMs, sinceMs);
    this.#pause ??= this.#deps.clock.setTimer(PAUSE_MS, () => {
      this.#pause = undefined;
      this.#run();
    });
  }

  async #serveSessions({ tenant, user, sessions }: Lookup): Promise<void> {
    if (sessions.size === 0) return;
    const places = new Map<string, PluginSession[]>();
    for (const session of sessions.values()) {
      const place = this.#backlogs.get(session.connectionId)?.place ?? FIRST_PLACE;
      const name = JSON.stringify(place);
      places.set(name, [...(places.get(name) ?? []), session]);
    }
    for (const [name, sharing] of places) {
      const place = JSON.parse(name) as WaitingPlace;
      const piece = await this.#read({ tenant, user }, place);
      for (const session of sharing) {
        // Gone while the store was read.
        if (sessions.has(session.connectionId)) this.#push(session, piece);
      }
    }
  }

  async #read(
    whose: { readonly tenant: TenantId; readonly user: string },
    place: WaitingPlace,
  ): Promise<{ readonly notifications: WireNotification[]; readonly next?: WaitingPlace }> {
    const limit = this.#deps.config.pieceSize;
    const page = await readWaiting(this.#deps.reading, whose, { place, limit });
    let fits = 0;
    let chars = 0;
    for (const notification of page.notifications) {
      chars += JSON.stringify(notification).length;
      if (fits > 0 && chars > PIECE_MAX_CHARS) break;
      fits++;
    }
    if (fits === page.notifications.length) {
      return { notifications: page.notifications, ...(page.next && { next: page.next }) };
    }
    // Read again for the place of the last that fits: seldom, and there is one way to count places.
    const shorter = await readWaiting(this.#deps.reading, whose, { place, limit: fits });
    const { notifications, next } = shorter;
    return { notifications, ...(next && { next }) };
  }

  #push(
    session: PluginSession,
    piece: { readonly notifications: WireNotification[]; readonly next?: WaitingPlace },
  ): void {
    const { notifications, next } = piece;
    const last = notifications.length - 1;
    for (const [index, notification] of notifications.entries()) {
      const urgent = notification.priority === "urgent";
      const data: NotificationPush =
        next !== undefined && index === last ? { ...notification, more: true } : notification;
      session.push("notification", data, { urgent });
    }
    this.#deps.count("pushed_waiting", notifications.length);
    const open = new Set(notifications.map((notification) => notification.id));
    if (next === undefined) this.#backlogs.delete(session.connectionId);
    else this.#backlogs.set(session.connectionId, { place: next, open });
  }

  async #serveAll({ tenant, user, sinceMs }: Lookup): Promise<void> {
    if (sinceMs === undefined) return;
    const { notifications } = await readWaiting(
      this.#deps.reading,
      { tenant, user },
      { place: FIRST_PLACE, limit: this.#deps.config.pieceSize, sinceMs },
    );
    for (const urgent of [true, false]) {
      const some = notifications.filter((each) => (each.priority === "urgent") === urgent);
      const pushes = some.map((data) => ({ userId: user, action: "notification", data }));
      if (pushes.length > 0)
        await this.#deps.users.push(tenant, pushes, { urgent, hereOnly: true });
    }
    this.#deps.count("pushed_again", notifications.length);
  }
}
