import type { Counters } from "../../observe/counters.ts";
import type { RedisArgument } from "../../redis/shard.ts";
import type { Place } from "../../redis/shards.ts";
import type { ChannelKey } from "../../tenant/tenant.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { AttendanceEvent } from "../attendance.ts";
import type { Member } from "../member.ts";
import type { LooksChange } from "../presence.ts";
import type { PresenceChannel } from "../presence-channel.ts";
import { type HolderPlace, holdersKey, removeHolder } from "./holders.ts";
import type { OnChanges } from "./row-answer.ts";
import { rowArguments } from "./row-arguments.ts";
import { mergeLooks, RowChanges } from "./row-changes.ts";
import { WRITE_ROWS } from "./row-scripts.ts";

export type RowLedgerDeps = {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly place: Place;
  /** What the scripts are told first. */
  readonly common: readonly RedisArgument[];
  readonly node: string;
  readonly isTold: (here: PresenceChannel) => boolean;
  readonly onChanges?: OnChanges | undefined;
};

/** Changes of one turn and the next few go together. */
const BATCH_MS = 2;
/** Rows of one script call, about a millisecond of Redis. */
const BATCH_ROWS = 100;
const RETRY_MS = 250;
/** Rows that are gone and wait for Redis to be told so; beyond it all that are there are told instead. */
const GONE_MAX = 10_000;

/**
 * This node's rows in one partition: what has changed is written in batches, one at a time, as what it is and not by how much it has changed, so that a
 * batch whose answer was lost is written again. What was acknowledged and is not in Redis any more (an empty restart, a failover, a lease that was
 * over) is found by the number of the latest batch and by the number of rows; then everything is written anew as another holder. Bounded by the rows that
 * this node has, and {@link GONE_MAX}.
 */
export class RowLedger {
  readonly #deps: RowLedgerDeps;
  #waiting = new RowChanges();
  #writing: RowChanges | undefined;
  #step: Promise<void> | undefined;
  #timer: Timer | undefined;
  #holder: string;
  /** What this node was before, which is to be removed when its rows stand again. */
  readonly #former = new Set<string>();
  #lives = 0;
  #batch = 0;
  #acknowledged = 0;
  #looks = 0;
  /** The channels in which this node has rows, and how many these are. */
  readonly #channels = new Set<PresenceChannel>();
  #held = 0;
  #failed = false;
  #closed = false;

  constructor(deps: RowLedgerDeps) {
    this.#deps = deps;
    this.#holder = this.#nextHolder();
  }

  /** Where its rows lie, and how holders are removed there. */
  get at(): HolderPlace {
    return this.#deps;
  }

  /** Who writes the rows now: the node in one of its lives. */
  get holder(): string {
    return this.#holder;
  }

  isFormer(holder: string): boolean {
    return this.#former.has(holder);
  }

  note(
    here: PresenceChannel,
    member: Member,
    event: AttendanceEvent,
    looks: LooksChange | undefined,
  ): void {
    if (event === "join") {
      this.#held++;
      this.#channels.add(here);
    }
    if (event === "leave") {
      this.#held--;
      if (here.size === 0) this.#channels.delete(here);
    }
    const change = this.#waiting.of(here, member);
    change.member = member;
    if (looks !== undefined) {
      change.looks = mergeLooks(change.looks, looks);
      change.stamp = ++this.#looks;
    }
    this.#arm(BATCH_MS);
  }

  /** Whether looks that were set here are not acknowledged. */
  hasLooks(key: ChannelKey, userId: string): boolean {
    const waiting = this.#waiting.find(key, userId) ?? this.#writing?.find(key, userId);
    return waiting?.looks !== undefined;
  }

  /** Done when what has happened in a channel by now is in Redis; rejects when it cannot be reached. */
  async written(key: ChannelKey): Promise<void> {
    // So many steps take what waits now, however much comes meanwhile.
    let steps = 2 + Math.ceil(this.#waiting.size / BATCH_ROWS);
    while (steps-- > 0 && (this.#waiting.has(key) || this.#writing?.has(key) === true)) {
      await this.#oneStep();
    }
  }

  /** Looks whether Redis still has what it acknowledged; rejects when it cannot be reached. */
  async verify(): Promise<void> {
    if (this.#acknowledged > 0 || this.#held > 0) await this.#oneStep();
  }

  /** Writes what waits, if Redis takes it. The rows stay. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    try {
      while (this.#step !== undefined || this.#waiting.size > 0) await this.#oneStep();
    } catch {
      // It is away: the others remove all rows of this node when its time is over. Counted where it failed.
    }
  }

  #arm(delayMs: number): void {
    if (this.#closed || this.#timer !== undefined || this.#step !== undefined) return;
    this.#timer = this.#deps.clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      // What fails is counted there, and tried again.
      this.#oneStep().catch(() => {});
    });
  }

  #oneStep(): Promise<void> {
    this.#step ??= this.#write().finally(() => {
      this.#step = undefined;
      if (this.#waiting.size > 0) this.#arm(this.#failed ? RETRY_MS : 0);
    });
    return this.#step;
  }

  async #write(): Promise<void> {
    const rows = this.#waiting.take(BATCH_ROWS);
    this.#writing = rows;
    this.#failed = true;
    try {
      await this.#settle(rows, await this.#send(rows));
      this.#failed = false;
    } catch (error) {
      this.#deps.counters.presenceBatchesFailed++;
      if (this.#writing !== undefined) this.#waiting.putBack(rows);
      if (this.#waiting.size > this.#held + GONE_MAX) this.#startAnew();
      throw error;
    } finally {
      this.#writing = undefined;
    }
  }

  async #send(rows: RowChanges): Promise<{ readonly word: unknown; readonly held: unknown }> {
    const { place, common, isTold, onChanges } = this.#deps;
    const [word, held, changes] = (await place.shard.run(
      WRITE_ROWS,
      [holdersKey(place)],
      [...common, this.#holder, ++this.#batch, this.#acknowledged, ...rowArguments(rows, isTold)],
    )) as unknown[];
    onChanges?.(changes);
    return { word, held };
  }

  async #settle(
    rows: RowChanges,
    { word, held }: { readonly word: unknown; readonly held: unknown },
  ): Promise<void> {
    const { counters } = this.#deps;
    if (word !== "ok") {
      this.#waiting.putBack(rows);
      this.#startAnew();
      return;
    }
    this.#acknowledged = this.#batch;
    this.#writing = undefined;
    counters.presenceBatches++;
    counters.presenceRowsWritten += rows.size;
    if (this.#waiting.size > 0) return;
    // With nothing under way both are the same, or rows were lost.
    if (rows.size === 0 && held !== this.#held) return this.#startAnew();
    await this.#removeFormer();
  }

  /** All rows are written again by another name; who heard of them is told to read the list anew. */
  #startAnew(): void {
    this.#deps.counters.presenceRebuilds++;
    this.#former.add(this.#holder);
    this.#holder = this.#nextHolder();
    this.#batch = 0;
    this.#acknowledged = 0;
    const unwritten = this.#waiting;
    this.#waiting = new RowChanges();
    for (const here of this.#channels) {
      for (const member of here.members()) {
        const change = this.#waiting.of(here, member);
        const earlier = unwritten.find(here.key, member.userId);
        change.rebuilt = true;
        change.looks = earlier?.looks;
        change.stamp = earlier?.stamp ?? 0;
      }
    }
  }

  async #removeFormer(): Promise<void> {
    for (const holder of this.#former) {
      await removeHolder(this.#deps, holder);
      this.#former.delete(holder);
    }
  }

  #nextHolder(): string {
    return `${this.#deps.node}#${++this.#lives}`;
  }
}
