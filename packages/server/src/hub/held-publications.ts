import type { Publication } from "../broker/broker.ts";

/** What is held on a node, over all channels. */
export class HeldBytes {
  readonly maxBytes: number;
  bytes = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }
}

type Held = { readonly publication: Publication; readonly epoch: string; readonly bytes: number };

/** Beside its text: the objects around it. */
const ENTRY_BYTES = 200;

/**
 * What came to a channel before something earlier did. What finds no room is forgotten: the history has it, and whoever holds knows
 * how far the channel is.
 */
export class HeldPublications {
  readonly #all: HeldBytes;
  readonly #byOffset = new Map<number, Held>();

  constructor(all: HeldBytes) {
    this.#all = all;
  }

  get isEmpty(): boolean {
    return this.#byOffset.size === 0;
  }

  /** Of two with one offset the later counts. Returns false when there is no room. */
  add(publication: Publication, epoch: string): boolean {
    const { offset, json } = publication;
    this.#remove(offset);
    // A character takes two bytes when the text is not Latin-1: counting two bounds both.
    const bytes = 2 * json.length + ENTRY_BYTES;
    if (this.#all.bytes + bytes > this.#all.maxBytes) return false;
    this.#all.bytes += bytes;
    this.#byOffset.set(offset, { publication, epoch, bytes });
    return true;
  }

  /** The publication at an offset of this epoch; it is held no longer. */
  take(offset: number, epoch: string): Publication | undefined {
    const held = this.#byOffset.get(offset);
    if (held?.epoch !== epoch) return undefined;
    this.#remove(offset);
    return held.publication;
  }

  /** The greatest offset of this epoch; 0 when there is none. */
  greatest(epoch: string): number {
    let greatest = 0;
    for (const [offset, held] of this.#byOffset) {
      if (held.epoch === epoch && offset > greatest) greatest = offset;
    }
    return greatest;
  }

  /** The least offset of this epoch; undefined when there is none. */
  least(epoch: string): number | undefined {
    let least: number | undefined;
    for (const [offset, held] of this.#byOffset) {
      if (held.epoch === epoch && offset < (least ?? Number.POSITIVE_INFINITY)) least = offset;
    }
    return least;
  }

  /** Lets go of what is known already: this epoch's up to `offset`. */
  dropUpTo(offset: number, epoch: string): void {
    for (const [at, held] of this.#byOffset) {
      if (held.epoch === epoch && at <= offset) this.#remove(at);
    }
  }

  /** Lets go of what is of other epochs. */
  dropOthers(epoch: string): void {
    for (const [offset, held] of this.#byOffset) if (held.epoch !== epoch) this.#remove(offset);
  }

  clear(): void {
    for (const offset of [...this.#byOffset.keys()]) this.#remove(offset);
  }

  #remove(offset: number): void {
    const held = this.#byOffset.get(offset);
    if (held === undefined) return;
    this.#byOffset.delete(offset);
    this.#all.bytes -= held.bytes;
  }
}
