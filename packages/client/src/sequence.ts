import type { StreamPosition, WirePublication } from "@aldis/protocol";
import { OwnOffsets } from "./own-offsets.ts";

/** Messages held back behind a gap; further ones are dropped and recovered later. */
const HELD_MAX = 1000;

/**
 * A channel's messages in order: where the subscription stands, what is held back because something
 * before it is missing, and which own publications will not come (docs/protocol.md CH3, SU4, PB4).
 */
export class Sequence {
  readonly #held = new Map<number, WirePublication>();
  readonly #own = new OwnOffsets();
  #position: StreamPosition | undefined;

  constructor(since: StreamPosition | undefined) {
    this.#position = since;
  }

  get position(): StreamPosition | undefined {
    return this.#position;
  }

  /** How many messages wait for one before them. */
  get heldCount(): number {
    return this.#held.size;
  }

  /** Keeps a pushed message for {@link next}; drops a repeat. */
  hold(publication: WirePublication): void {
    if (this.#has(publication.offset) || this.#held.size >= HELD_MAX) return;
    this.#held.set(publication.offset, publication);
  }

  /** An own publication that may never be pushed; see {@link OwnOffsets}. */
  noteOwn(own: StreamPosition, kind: "silent" | "maybe"): void {
    if (own.epoch === this.#position?.epoch && !this.#has(own.offset)) {
      this.#own.add(own.offset, kind);
    }
  }

  /** Steps onto the next held message; undefined when none is held, or the next one is missing. */
  next(): WirePublication | undefined {
    while (this.#position !== undefined) {
      const { offset, epoch } = this.#position;
      const held = this.#held.get(offset + 1);
      const own = this.#own.take(offset + 1, { beforeAnother: this.#held.size > 0 });
      if (held === undefined && !own) return undefined;
      this.#held.delete(offset + 1);
      this.#position = { offset: offset + 1, epoch };
      if (held !== undefined) return held;
    }
    return undefined;
  }

  /** Steps onto the next held message up to `offset`, over what is missing before it; undefined: none, it steps onto `offset`. */
  nextUpTo(offset: number): WirePublication | undefined {
    if (this.#position === undefined) return undefined;
    const { epoch } = this.#position;
    for (const held of this.#held.values()) {
      if (held.offset > offset) continue;
      this.#held.delete(held.offset);
      this.#position = { offset: held.offset, epoch };
      return held;
    }
    this.reach({ offset, epoch });
    return undefined;
  }

  /** Steps onto a recovered message, over whatever is before it. False: it is a repeat. */
  stepTo({ offset }: WirePublication, epoch: string): boolean {
    if (this.#has(offset)) return false;
    this.#position = { offset, epoch };
    return true;
  }

  /** All up to `position` is known. */
  reach(position: StreamPosition): void {
    if (!this.#has(position.offset)) this.#position = position;
    for (const offset of this.#held.keys()) if (this.#has(offset)) this.#held.delete(offset);
  }

  /** What was known is out of date. Messages do not tell their epoch: of another one, none is kept. */
  startFrom(position: StreamPosition): void {
    if (this.#position !== undefined && this.#position.epoch !== position.epoch) this.#held.clear();
    this.#own.clear();
    this.#position = position;
  }

  forgetHeld(): void {
    this.#held.clear();
  }

  /** The connection is gone: all but the position comes again. */
  onDown(): void {
    this.#held.clear();
    this.#own.clear();
  }

  #has(offset: number): boolean {
    return this.#position !== undefined && offset <= this.#position.offset;
  }
}
