import type { Awaitable, Clock } from "../plugins/index.ts";

type Entry<V> = {
  value: V | undefined;
  /** What it was read for; undefined once `value` is there. */
  pending: Promise<V> | undefined;
  /** When reading it began: from then on it gets older. */
  readAtMs: number;
};

export type ReadsOptions = {
  /** A value is answered for so long without being read again. */
  readonly freshMs: number;
  /** When it cannot be read again, the old one is answered for so long. */
  readonly staleMs: number;
  readonly max: number;
  readonly onEvicted: () => void;
};

/**
 * What was read from the store a moment ago, by name. Many who ask at once ask the store once; a fresh value is there in the same turn. At `max` entries
 * those go that were read first.
 */
export class RecentReads<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #options: ReadsOptions;

  constructor(clock: Pick<Clock, "monotonicMs">, options: ReadsOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(name: string, read: () => Promise<V>): Awaitable<V> {
    const entry = this.#entries.get(name);
    const nowMs = this.#clock.monotonicMs();
    if (entry !== undefined && nowMs - entry.readAtMs < this.#options.freshMs) {
      return entry.pending ?? (entry.value as V);
    }
    return this.#read(name, read, entry);
  }

  /** What the caller has just written. */
  set(name: string, value: V): void {
    this.#put(name, { value, pending: undefined, readAtMs: this.#clock.monotonicMs() });
  }

  /** What is being read at this moment is not kept either. */
  forget(name: string): void {
    this.#entries.delete(name);
  }

  #read(name: string, read: () => Promise<V>, former: Entry<V> | undefined): Promise<V> {
    const entry: Entry<V> = {
      value: undefined,
      pending: undefined,
      readAtMs: this.#clock.monotonicMs(),
    };
    entry.pending = read().then(
      (value) => {
        entry.value = value;
        entry.pending = undefined;
        return value;
      },
      (error: unknown) => this.#fallBack(name, entry, former, error),
    );
    this.#put(name, entry);
    return entry.pending;
  }

  /** The store is away: nobody can have changed it there, so what was known a while ago holds on. */
  #fallBack(name: string, entry: Entry<V>, former: Entry<V> | undefined, error: unknown): V {
    const isCurrent = this.#entries.get(name) === entry;
    if (isCurrent) this.#entries.delete(name);
    const ageMs = this.#clock.monotonicMs() - (former?.readAtMs ?? Number.NEGATIVE_INFINITY);
    if (former === undefined || former.pending !== undefined || !isCurrent) throw error;
    if (ageMs >= this.#options.staleMs) throw error;
    this.#put(name, former);
    return former.value as V;
  }

  #put(name: string, entry: Entry<V>): void {
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    if (this.#entries.size <= this.#options.max) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      this.#options.onEvicted();
      return;
    }
  }
}
