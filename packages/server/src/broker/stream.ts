import type { StreamPosition } from "@aldis/protocol";
import type { HistoryOptions, HistoryPage, HistoryQuery, Publication, Recovery } from "./broker.ts";

/** One kept publication. Age is counted on the monotonic clock: setting the host's clock expires nothing. */
type Entry = {
  readonly publication: Publication;
  readonly bytes: number;
  readonly storedAtMs: number;
};

/**
 * A channel's position and what is kept of its past, in memory. Offsets of the kept entries are
 * contiguous and end at `top`, unless nothing is kept. Knows no clock and no broker.
 */
export class Stream {
  readonly epoch: string;
  top = 0;
  /** The latest `version` published, -1 before any. */
  version = -1;
  /** Bytes of all kept entries. */
  bytes = 0;
  #ttlMs = 0;
  #entries: Entry[] = [];
  /** Entries before this index are gone; the array is shortened now and then. */
  #head = 0;

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  get position(): StreamPosition {
    return { offset: this.top, epoch: this.epoch };
  }

  get kept(): number {
    return this.#entries.length - this.#head;
  }

  /** Takes the publication of the next offset. */
  append(publication: Publication, history: HistoryOptions, nowMs: number): void {
    this.top = publication.offset;
    if (history.size === 0) {
      this.clear();
      return;
    }
    // A character is at least a byte in memory, two when it is not Latin-1: counting two bounds both.
    const bytes = 2 * publication.json.length;
    this.#entries.push({ publication, bytes, storedAtMs: nowMs });
    this.bytes += bytes;
    this.trim(history, nowMs);
  }

  /** Lets go of what these options, in force from now on, do not keep. */
  trim(history: HistoryOptions, nowMs: number): void {
    this.#ttlMs = history.ttlMs;
    while (this.kept > history.size || (this.bytes > history.maxBytes && this.kept > 0))
      this.#drop();
    this.expire(nowMs);
  }

  /** Lets go of what is older than the history keeps. */
  expire(nowMs: number): void {
    for (;;) {
      const oldest = this.#entries[this.#head];
      if (oldest === undefined || nowMs - oldest.storedAtMs < this.#ttlMs) return;
      this.#drop();
    }
  }

  /** Lets go of everything but the position. */
  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.bytes = 0;
  }

  /** Everything after `since`, or the honest answer that some of it is gone. O(missed). */
  recover(since: StreamPosition): Recovery {
    const missed = this.top - since.offset;
    // An offset beyond the top never was in this epoch: the client has it from somewhere else.
    if (since.epoch !== this.epoch || missed < 0 || missed > this.kept) {
      return { recovered: false, publications: [], top: this.position };
    }
    return { recovered: true, publications: this.#latest(missed), top: this.position };
  }

  page(query: HistoryQuery): HistoryPage {
    const first = this.top - this.kept + 1;
    if (query.after !== undefined) {
      const from = Math.max(query.after + 1, first);
      const until = Math.min(
        from + query.limit,
        query.before ?? Number.POSITIVE_INFINITY,
        this.top + 1,
      );
      const more = until <= this.top && until < (query.before ?? Number.POSITIVE_INFINITY);
      return { publications: this.#between(from, until), top: this.position, more };
    }
    const until = Math.min(query.before ?? Number.POSITIVE_INFINITY, this.top + 1);
    const from = Math.max(until - query.limit, first);
    return {
      publications: this.#between(from, until),
      top: this.position,
      more: from > first && from < until,
    };
  }

  /** Kept publications with `from <= offset < until`. */
  #between(from: number, until: number): Publication[] {
    if (until <= from) return [];
    const first = this.top - this.kept + 1;
    const start = this.#head + from - first;
    return this.#entries.slice(start, start + until - from).map((entry) => entry.publication);
  }

  #latest(count: number): Publication[] {
    return this.#between(this.top - count + 1, this.top + 1);
  }

  #drop(): void {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return;
    this.bytes -= entry.bytes;
    this.#head++;
    if (this.#head >= SHORTEN_AT && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** Shortening is O(kept): doing it only when half is gone makes a drop O(1) on average. */
const SHORTEN_AT = 32;
