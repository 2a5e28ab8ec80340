// How many connections users and tenants have on all nodes together: told to Redis in batches, a moment after the fact.
import { getOrCreate } from "../../get-or-create.ts";
import type { Counters } from "../../observe/counters.ts";
import type { LimitedLog } from "../../observe/limited-log.ts";
import type { Place, Shards } from "../../redis/shards.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { ConnectionCounts, Counted, CountedUser } from "../connection-counts.ts";
import { COUNT } from "./count-script.ts";
import { NodesSeen } from "./nodes-seen.ts";

export type SharedCountsDeps = {
  readonly shards: Pick<Shards, "place">;
  readonly self: string;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Pick<LimitedLog, "error">;
  /** The nodes that live; undefined: this node cannot tell. */
  readonly nodes: () => readonly string[] | undefined;
  /** Connections of this node, at this moment. */
  readonly countOf: (who: Counted) => number;
  /** All who are connected here. */
  readonly all: () => Iterable<CountedUser>;
  /** So many of the newest connections here are too many. */
  readonly onOver: (who: Counted, count: number) => void;
};

export type SharedCountsOptions = {
  readonly perUser: number;
  /** 0: any number. */
  readonly perTenant: (tenant: TenantId) => number;
  /** How long a session may be counted twice that went on elsewhere: until a dead node's connections no longer count. */
  readonly movingMs: number;
};

const TICK_MS = 250;
const ROWS_PER_TICK = 500;
const BATCH_MAX = 100;
/** Everybody is told again once in this time, so that what Redis lost comes back. */
const TELL_AGAIN_MS = 120_000;
const KEPT_MS = 3 * TELL_AGAIN_MS;
/** In which this node hears of one that has just joined. */
const SETTLE_MS = 3_000;

type Row = Counted & { readonly name: string; judged: number };
type Moving = { readonly user: CountedUser; readonly atMs: number };
type Unsure = { readonly row: Row; readonly atMs: number };

/** Bounded by the connections of this node: one row for each of their users and tenants. */
export class SharedCounts implements ConnectionCounts {
  readonly #deps: SharedCountsDeps;
  readonly #options: SharedCountsOptions;
  readonly #changed = new Map<string, Row>();
  readonly #nodes: NodesSeen;
  #moving: Moving[] = [];
  /** Judged while others had connections there that this node does not know. */
  #unsure: Unsure[] = [];
  #walk: Iterator<CountedUser> | undefined;
  #owed = 0;
  #connected = 0;
  #timer: Timer | undefined;
  #ticking = false;
  #closed = false;

  constructor(deps: SharedCountsDeps, options: SharedCountsOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#nodes = new NodesSeen(deps.clock, { patienceMs: options.movingMs });
  }

  joined(user: CountedUser, how: "fresh" | "resumed"): void {
    this.#connected++;
    if (how === "fresh") return this.#note(user, 1);
    this.#note(user, 0);
    // Attack: sessions that were parked one after another, and are resumed together, each of them free.
    this.#moving.push({ user, atMs: this.#deps.clock.monotonicMs() + this.#options.movingMs });
  }

  left(user: CountedUser): void {
    this.#connected--;
    this.#note(user, 0);
  }

  /** Redis has lost what it held: everybody is told again, as fast as may be. */
  tellAll(): void {
    this.#walk = undefined;
    this.#owed = this.#connected;
    this.#arm();
  }

  /** The others find out that it is gone by itself. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #note({ tenant, userId, anonymous }: CountedUser, judged: number): void {
    if (this.#options.perUser > 0 && !anonymous) this.#noteRow({ tenant, userId }, judged);
    if (this.#options.perTenant(tenant) > 0) this.#noteRow({ tenant, userId: undefined }, judged);
  }

  #noteRow(who: Counted, judged: number): void {
    // A tenant id holds no `/`, so no user's name is a tenant's, or another tenant's user's.
    const name = who.userId === undefined ? who.tenant : `${who.tenant}/${who.userId}`;
    const row = getOrCreate(this.#changed, name, () => ({ ...who, name, judged: 0 }));
    row.judged += judged;
    this.#arm();
  }

  #arm(): void {
    if (!this.#closed) this.#timer ??= this.#deps.clock.setTimer(TICK_MS, this.#tick);
  }

  #tick = (): void => {
    this.#timer = undefined;
    if (!this.#ticking) void this.#tellSome();
    if (this.#connected > 0 || this.#changed.size > 0) this.#arm();
  };

  async #tellSome(): Promise<void> {
    this.#ticking = true;
    this.#judgeMoved();
    this.#walkOn();
    const rows: Row[] = [];
    for (const row of this.#changed.values()) {
      if (rows.length === ROWS_PER_TICK) break;
      rows.push(row);
    }
    for (const { name } of rows) this.#changed.delete(name);
    await Promise.all(batchesOf(this.#deps.shards, rows).map((batch) => this.#tell(batch)));
    this.#ticking = false;
  }

  #judgeMoved(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const { user } of takeDue(this.#moving, nowMs)) this.#note(user, 1);
    for (const { row } of takeDue(this.#unsure, nowMs)) this.#noteRow(row, row.judged);
  }

  #walkOn(): void {
    this.#owed += (this.#connected * TICK_MS) / TELL_AGAIN_MS;
    this.#owed = Math.min(this.#owed, this.#connected);
    for (let n = 0; n < ROWS_PER_TICK && this.#owed >= 1; n++) {
      this.#walk ??= this.#deps.all()[Symbol.iterator]();
      const { value, done } = this.#walk.next();
      this.#owed--;
      if (done === true) this.#walk = undefined;
      else this.#note(value, 0);
    }
  }

  async #tell({ place, rows }: Batch): Promise<void> {
    const { self, countOf, counters } = this.#deps;
    const { living, gone } = this.#nodes.look(this.#deps.nodes());
    const counts = rows.map((row) => countOf(row));
    const args = rows.flatMap((row, at) => {
      const { perTenant, perUser } = this.#options;
      const ceiling = row.userId === undefined ? perTenant(row.tenant) : perUser;
      const count = counts[at] ?? 0;
      return [count, Math.min(row.judged, count), ceiling];
    });
    const keys = rows.map(({ name }) => place.keys.key("connections", name));
    let answer: unknown;
    try {
      answer = await place.shard.run(COUNT, keys, [self, KEPT_MS, living, gone, ...args]);
    } catch {
      // Redis is away: this node's own ceilings hold, and the rest is told when it is back.
      counters.sharedLimitsFailed++;
      for (const row of rows) this.#noteRow(row, row.judged);
      return;
    }
    if (!Array.isArray(answer)) return;
    const [allowed, unknown] = answer;
    for (const [at, row] of rows.entries()) {
      this.#meet(row, String(unknown[at]));
      this.#judge(row, (counts[at] ?? 0) - Number(allowed[at]));
    }
  }

  /** Attack: connections that are opened on a node that has just come, of which the others have not heard. */
  #meet(row: Row, unknown: string): void {
    if (unknown === "") return;
    this.#nodes.meet(unknown.split(" "));
    if (row.judged === 0) return;
    this.#unsure.push({ row, atMs: this.#deps.clock.monotonicMs() + SETTLE_MS });
  }

  #judge(row: Row, over: number): void {
    if (over <= 0) return;
    try {
      this.#deps.onOver(row, over);
    } catch (error) {
      this.#deps.log.error({ err: error }, "connections over a ceiling could not be closed");
    }
  }
}

/** Removes those whose time has come; they stand in order. */
function takeDue<T extends { readonly atMs: number }>(waiting: T[], nowMs: number): T[] {
  const first = waiting.findIndex(({ atMs }) => atMs > nowMs);
  return waiting.splice(0, first < 0 ? waiting.length : first);
}

type Batch = { readonly place: Place; readonly rows: Row[] };

function batchesOf(shards: Pick<Shards, "place">, rows: readonly Row[]): Batch[] {
  const byPlace = new Map<Place["keys"], Batch>();
  const batches: Batch[] = [];
  for (const row of rows) {
    const place = shards.place(row.name);
    let batch = byPlace.get(place.keys);
    if (batch === undefined || batch.rows.length === BATCH_MAX) {
      batch = { place, rows: [] };
      byPlace.set(place.keys, batch);
      batches.push(batch);
    }
    batch.rows.push(row);
  }
  return batches;
}
