import type { ParkedSession } from "../parking.ts";

/**
 * `parked`; `taken`: this node has it now, as it stood; `over` for good; `unclaimed`: it was perhaps claimed in an answer that never came.
 */
export type Word =
  | { readonly as: "parked" | "taken"; readonly session: ParkedSession }
  | { readonly as: "over" }
  | { readonly as: "unclaimed" };

/** The latest word on a session that is no connected one here. */
export type Last = {
  readonly id: string;
  readonly what: Word;
  /** Monotonic milliseconds. */
  readonly untilMs: number;
};

/**
 * What Redis has yet to be told of sessions whose connection is gone: one word each, the latest. One that is on its way, or has to be sent again later, is known too: it may be
 * out of date by then, and must not be written over what came after it.
 */
export class LastWords {
  /** In order; what is sent first. */
  readonly #waiting = new Map<string, Last>();
  readonly #sent = new Map<string, Last>();

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** In place of what there was on that session. */
  add(last: Last): void {
    this.forget(last.id);
    this.#waiting.set(last.id, last);
  }

  /** Nothing is to be said of it any more. */
  forget(id: string): void {
    this.#waiting.delete(id);
    this.#sent.delete(id);
  }

  /** A connected session tells more than that it was taken. */
  forgetTaken(id: string): void {
    const last = this.#waiting.get(id) ?? this.#sent.get(id);
    if (last?.what.as === "taken") this.forget(id);
  }

  dropOldest(): void {
    const oldest = this.#waiting.keys().next().value;
    if (oldest !== undefined) this.#waiting.delete(oldest);
  }

  /** The first that wait, to be sent. */
  next(max: number): Last[] {
    const rows: Last[] = [];
    for (const last of this.#waiting.values()) {
      rows.push(last);
      if (rows.length === max) break;
    }
    for (const last of rows) this.#send(last);
    return rows;
  }

  /** The word on one session, to be sent at once. */
  take(id: string): Last | undefined {
    const last = this.#waiting.get(id) ?? this.#sent.get(id);
    if (last !== undefined) this.#send(last);
    return last;
  }

  /** It was written, or is another node's to say. */
  done(last: Last): void {
    if (this.#sent.get(last.id) === last) this.#sent.delete(last.id);
  }

  /** It waits once more, unless it is out of date. */
  again(last: Last): void {
    if (this.#sent.get(last.id) === last) this.add(last);
  }

  #send(last: Last): void {
    this.#waiting.delete(last.id);
    this.#sent.set(last.id, last);
  }
}
