// What a node tells Redis about its sessions, behind their backs: in batches, as fast as it may, and never twice at once.
// Asked by the store for each change; no timer and no closure for a session.
import { getOrCreate } from "../../get-or-create.ts";
import type { Counters } from "../../observe/counters.ts";
import type { Place, Shards } from "../../redis/shards.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { type LiveSession, type LiveView, MARK, type SessionChange } from "../session-store.ts";
import { type Last, LastWords, type Word } from "./last-words.ts";
import { writeRecord } from "./session-record.ts";
import { KEEP, UNCLAIM, WRITE } from "./session-scripts.ts";

export type SessionWriterOptions = {
  readonly resumeMs: number;
  readonly parkedMax: number;
  /** How many records of connected sessions are written at most. */
  readonly recordsPerSecond: number;
  /** How old the positions in a record may become. */
  readonly positionsMs: number;
};

export type SessionWriterDeps = {
  readonly shards: Pick<Shards, "place">;
  readonly self: string;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly live: Pick<LiveView, "size" | "all">;
  /** A record that was to be written is another node's by now: what is here of that session is stale. */
  readonly onTaken: (id: string) => void;
};

/** Changes within so long are written together. */
const TICK_MS = 200;
const BATCH_MAX = 100;
/** Batches of sessions whose connection is gone that are on their way together. */
const AT_ONCE_MAX = 8;
/** How long to wait before what Redis did not take is tried again. */
const RETRY_MS = 1_000;
const KEEP_MIN_MS = 5_000;

type Row = Last | LiveSession;
type Batch<R extends Row> = { readonly place: Place; readonly rows: R[] };

export class SessionWriter {
  readonly #deps: SessionWriterDeps;
  readonly #options: SessionWriterOptions;
  /** Every record is touched once in this time. */
  readonly #keepEveryMs: number;
  readonly #liveTtlMs: number;
  /** On sessions whose connection is gone; what is written first. */
  readonly #last = new LastWords();
  #changed: LiveSession[] = [];
  #moved: LiveSession[] = [];
  /** Of those that moved the ones whose time has come. */
  #movedDue: LiveSession[] = [];
  #movedDueMs = 0;
  #timer: Timer | undefined;
  #pump: Promise<void> | undefined;
  /** Ends a pause before its time. */
  #wake: (() => void) | undefined;
  /** Of what a tick has sent some is still on its way. */
  #ticking = false;
  #walk: Iterator<LiveSession> | undefined;
  /** How many more are looked at as fast as may be, because something is known to be astray. */
  #hurry = 0;
  #owed = 0;
  #closed = false;

  constructor(deps: SessionWriterDeps, options: SessionWriterOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#keepEveryMs = Math.max(KEEP_MIN_MS, options.resumeMs / 2);
    // The node may die right before it would have touched it, and be slow at it before that.
    this.#liveTtlMs = options.resumeMs + 2 * this.#keepEveryMs;
  }

  /** How long the record of a connected session is kept without being touched. */
  get liveTtlMs(): number {
    return this.#liveTtlMs;
  }

  note(session: LiveSession, change: SessionChange): void {
    if (session.storeMark >= change) return;
    session.storeMark = change;
    (change === MARK.changed ? this.#changed : this.#moved).push(session);
    this.#timer ??= this.#deps.clock.setTimer(TICK_MS, this.#tick);
  }

  /** Written as soon as may be. */
  tell(id: string, what: Word): void {
    this.#last.forget(id);
    // What is not written is over when its time is: that costs less than to remember it without bound.
    if (this.#last.size >= this.#options.parkedMax + BATCH_MAX) {
      this.#last.dropOldest();
      this.#deps.counters.sessionRecordsFailed++;
    }
    const keptMs = what.as === "taken" ? this.#liveTtlMs : this.#options.resumeMs;
    this.#last.add({ id, what, untilMs: this.#deps.clock.monotonicMs() + keptMs });
    this.#pump ??= Promise.resolve().then(this.#pumpLast);
  }

  /** Nothing waits that would be written over what is asked of this record next. */
  async settle(id: string): Promise<void> {
    const last = this.#last.take(id);
    if (last === undefined) return;
    await this.#write({ place: this.#placeOf(id), rows: [last] });
  }

  /** The session has been taken, by another node or this one: what was to be said about it no longer counts. */
  forget(id: string): void {
    this.#last.forget(id);
  }

  /** Redis has lost what it held, or others have taken what was ours: all that is here is looked at, as fast as may be. */
  lookAtAll(): void {
    this.#walk = undefined;
    this.#hurry = this.#deps.live.size;
    this.#timer ??= this.#deps.clock.setTimer(TICK_MS, this.#tick);
  }

  /** Tries once more what waits of sessions whose connection is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#wake?.();
    await this.#pump;
    if (this.#last.size > 0) await this.#pumpLast();
  }

  #pumpLast = async (): Promise<void> => {
    while (this.#last.size > 0) {
      const rows = this.#last.next(BATCH_MAX * AT_ONCE_MAX);
      const written = await Promise.all(this.#batchesOf(rows).map((batch) => this.#write(batch)));
      if (written.includes(false)) await this.#pause();
      if (this.#closed) break;
    }
    this.#pump = undefined;
  };

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#deps.clock.setTimer(RETRY_MS, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
      if (this.#closed) this.#wake();
    });
  }

  #tick = (): void => {
    this.#timer = undefined;
    if (this.#closed) return;
    const { live, clock } = this.#deps;
    const may = Math.ceil((this.#options.recordsPerSecond * TICK_MS) / 1_000);
    // A Redis that is slow is not sent more.
    if (!this.#ticking) {
      this.#ticking = true;
      const rows = this.#takeDue(may);
      const kept = this.#takeKept(may - rows.length);
      void Promise.all([
        ...this.#batchesOf(rows).map((batch) => this.#write(batch)),
        ...this.#batchesOf(kept).map((batch) => this.#touch(batch)),
      ]).finally(() => {
        this.#ticking = false;
      });
    }
    if (live.size > 0) this.#timer ??= clock.setTimer(TICK_MS, this.#tick);
  };

  /** Changes first; then, when it is time, those that are the same but further on. */
  #takeDue(may: number): LiveSession[] {
    const rows: LiveSession[] = [];
    takeFirst(this.#changed, rows, may);
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#movedDue.length === 0 && nowMs >= this.#movedDueMs) {
      this.#movedDue = this.#moved;
      this.#moved = [];
      this.#movedDueMs = nowMs + this.#options.positionsMs;
    }
    takeFirst(this.#movedDue, rows, may);
    return rows;
  }

  /** Some of those whose records are to be touched, so that all are in good time. */
  #takeKept(may: number): LiveSession[] {
    const { live } = this.#deps;
    this.#owed = Math.min(live.size, this.#owed + (live.size * TICK_MS) / this.#keepEveryMs);
    const wanted = this.#hurry > 0 ? may : Math.min(may, Math.floor(this.#owed));
    const rows: LiveSession[] = [];
    for (let n = 0; n < wanted; n++) {
      const next = this.#nextLive();
      if (next === undefined) break;
      if (next.authenticated && next.storeMark !== MARK.changed) rows.push(next);
      if (this.#hurry > 0) this.#hurry--;
      this.#owed = Math.max(0, this.#owed - 1);
    }
    return rows;
  }

  #nextLive(): LiveSession | undefined {
    this.#walk ??= this.#deps.live.all()[Symbol.iterator]();
    const { value, done } = this.#walk.next();
    if (done !== true) return value;
    this.#walk = undefined;
    this.#hurry = 0;
    return undefined;
  }

  #batchesOf<R extends Row>(rows: readonly R[]): Batch<R>[] {
    const open = new Map<Place["keys"], Batch<R>>();
    const batches: Batch<R>[] = [];
    for (const row of rows) {
      const place = this.#placeOf(row.id);
      let batch = getOrCreate(open, place.keys, () => newBatch(batches, place));
      if (batch.rows.length === BATCH_MAX) {
        batch = newBatch(batches, place);
        open.set(place.keys, batch);
      }
      batch.rows.push(row);
    }
    return batches;
  }

  #placeOf(id: string): Place {
    return this.#deps.shards.place(id);
  }

  /** False: Redis did not take it, and it waits again. */
  async #write({ place, rows }: Batch<Row>): Promise<boolean> {
    const { counters } = this.#deps;
    const keys: string[] = [];
    const args: (string | number)[] = [this.#deps.self];
    for (const row of rows) {
      keys.push(place.keys.key("session", row.id));
      args.push(this.#ttlOf(row), this.#textOf(row));
    }
    try {
      const others = await place.shard.run(WRITE, keys, args);
      counters.sessionRecordsWritten += rows.length;
      const places = placesIn(others);
      const claimed = rows.filter((_, n) => places.includes(-n - 1));
      for (const row of rows) if (!isLive(row) && !claimed.includes(row)) this.#last.done(row);
      for (const at of places) if (at > 0) this.#onTaken(rows[at - 1]);
      this.#waitForClaims(claimed);
      return true;
    } catch {
      // Redis is away, which its own readiness tells.
      counters.sessionRecordsFailed += rows.length;
      for (const row of rows) this.#putBack(row);
      return false;
    }
  }

  /** Another node is about to ask for these; if it does not, its claim will be taken back, and they are to be written. */
  #waitForClaims(claimed: readonly Row[]): void {
    if (claimed.length === 0 || this.#closed) return;
    this.#deps.clock.setTimer(RETRY_MS, () => {
      if (this.#closed) return;
      for (const row of claimed) this.#putBack(row);
      this.#pump ??= Promise.resolve().then(this.#pumpLast);
    });
  }

  async #touch({ place, rows }: Batch<LiveSession>): Promise<void> {
    const keys = rows.map(({ id }) => place.keys.key("session", id));
    try {
      const turns = rows.map(({ turn }) => turn);
      const args = [this.#deps.self, this.#liveTtlMs, ...turns];
      const astray = await place.shard.run(KEEP, keys, args);
      for (const at of placesIn(astray)) {
        const row = rows[Math.abs(at) - 1];
        if (at < 0) this.#onTaken(row);
        else if (row !== undefined && isLive(row)) this.note(row, MARK.changed);
      }
    } catch {
      // They are looked at again in their turn; they are kept for longer than two of them.
    }
  }

  #ttlOf(row: Row): number {
    if (isLive(row)) return this.#liveTtlMs;
    return Math.max(1, Math.ceil(row.untilMs - this.#deps.clock.monotonicMs()));
  }

  #textOf(row: Row): string {
    const { self } = this.#deps;
    if (!isLive(row)) {
      const { what } = row;
      if (what.as === "unclaimed") return UNCLAIM;
      if (what.as === "over" || row.untilMs <= this.#deps.clock.monotonicMs()) return "";
      return writeRecord(self, what.as === "parked" ? "p" : "l", what.session) ?? "";
    }
    if (!row.authenticated) return "";
    this.#last.forgetTaken(row.id);
    row.storeMark = MARK.clean;
    return writeRecord(self, "l", row.standing()) ?? "";
  }

  #onTaken(row: Row | undefined): void {
    // One that is over here already, and was to be removed, is the other's to keep.
    if (row !== undefined && (!isLive(row) || row.authenticated)) this.#deps.onTaken(row.id);
  }

  #putBack(row: Row): void {
    if (isLive(row)) this.note(row, MARK.changed);
    else this.#last.again(row);
  }
}

function isLive(row: Row): row is LiveSession {
  return "storeMark" in row;
}

/** What a script tells of the rows that it was given. */
function placesIn(answer: unknown): number[] {
  return Array.isArray(answer) ? answer.map(Number) : [];
}

function newBatch<R extends Row>(batches: Batch<R>[], place: Place): Batch<R> {
  const batch: Batch<R> = { place, rows: [] };
  batches.push(batch);
  return batch;
}

/** Moves the first of `from`, as long as there is room; those that are over, or were written meanwhile, go without. */
function takeFirst(from: LiveSession[], to: LiveSession[], max: number): void {
  let taken = 0;
  for (const session of from) {
    if (to.length >= max) break;
    taken++;
    const { storeMark } = session;
    if (storeMark === MARK.changed || storeMark === MARK.moved) to.push(session);
  }
  from.splice(0, taken);
}
