import type { ChatHistoryBody, ChatMessage } from "@aldis/protocol";
import { merged } from "./merge.ts";

/** Messages that were heard of before those between them came: beyond so many all is read anew. */
const AHEAD_MAX = 500;

/**
 * The messages of a room that are known, as one stretch without gaps (those that retention has removed left out). At its end it follows what
 * is said; or, read around an older message, it ends before that. Bounded: what is furthest from where one reads goes first.
 */
export class Timeline {
  readonly #max: number;
  #messages: readonly ChatMessage[] = [];
  /** All up to and including this are known, from the first one on. */
  #to = 0;
  /** Heard of and not in the stretch: something before it is missing, or it is older than what was read. */
  readonly #ahead = new Map<number, ChatMessage>();
  hasOlder = false;
  hasNewer = false;
  #isLoaded = false;

  constructor(max: number) {
    this.#max = max;
  }

  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Where what is to be read next begins: pages after this one are missing. */
  get end(): number {
    return this.#to;
  }

  get start(): number | undefined {
    return this.#messages[0]?.seq;
  }

  /** Something was said after a message that has not come: read what comes after {@link end}. */
  get isMissingSome(): boolean {
    if (!this.#isLoaded || this.hasNewer) return false;
    return [...this.#ahead.keys()].some((seq) => seq > this.#to);
  }

  find(seq: number): ChatMessage | undefined {
    return this.#messages.find((message) => message.seq === seq);
  }

  /** Everything anew: the latest page, or one around an older message. */
  reset(page: ChatHistoryBody): void {
    this.#messages = page.messages;
    this.#to = page.newer ? (page.messages.at(-1)?.seq ?? page.top) : page.top;
    this.hasOlder = page.older;
    this.hasNewer = page.newer;
    this.#isLoaded = true;
    this.#takeAhead();
  }

  addOlder(page: ChatHistoryBody): void {
    const first = this.start ?? Number.POSITIVE_INFINITY;
    const older = page.messages.filter(({ seq }) => seq < first).map((each) => this.#latest(each));
    this.#messages = [...older, ...this.#messages];
    this.hasOlder = page.older;
    if (this.#messages.length <= this.#max) return;
    this.#messages = this.#messages.slice(0, this.#max);
    this.#to = this.#messages.at(-1)?.seq ?? this.#to;
    this.hasNewer = true;
  }

  /** A page after {@link end}. */
  addNewer(page: ChatHistoryBody): void {
    for (const message of page.messages) this.#keep(message);
    this.#to = Math.max(this.#to, page.newer ? (page.messages.at(-1)?.seq ?? 0) : page.top);
    this.hasNewer = page.newer;
    this.#trimOldest();
    this.#takeAhead();
  }

  /** Said, edited, deleted or reacted to. Returns whether that was news. */
  hear(message: ChatMessage): boolean {
    const { seq } = message;
    if (!this.#isLoaded || (seq > this.#to && this.hasNewer)) {
      // Before the first page, or below what one reads: the page that is read then has it.
      this.#putAhead(message);
      return false;
    }
    if (seq > this.#to || seq < (this.start ?? 0)) this.#putAhead(message);
    return seq <= this.#to ? this.#change(message) : this.#takeAhead();
  }

  /** Known messages as `change` makes them. Returns whether there was such a one. */
  update(seq: number, change: (message: ChatMessage) => ChatMessage): boolean {
    const known = this.find(seq) ?? this.#ahead.get(seq);
    if (known === undefined) return false;
    const next = change(known);
    if (next === known) return false;
    if (this.#ahead.has(seq)) this.#ahead.set(seq, next);
    this.#messages = this.#messages.map((message) => (message === known ? next : message));
    return true;
  }

  #change(message: ChatMessage): boolean {
    return this.update(message.seq, (known) => merged(known, message));
  }

  #putAhead(message: ChatMessage): void {
    const known = this.#ahead.get(message.seq);
    this.#ahead.set(message.seq, known === undefined ? message : merged(known, message));
    if (this.#ahead.size > AHEAD_MAX) this.#ahead.clear();
  }

  /** A page may have been read before something that was heard meanwhile. */
  #latest(message: ChatMessage): ChatMessage {
    const heard = this.#ahead.get(message.seq);
    this.#ahead.delete(message.seq);
    return heard === undefined ? message : merged(message, heard);
  }

  #takeAhead(): boolean {
    let took = false;
    const start = this.start ?? 0;
    for (const [seq, message] of [...this.#ahead].sort(([a], [b]) => a - b)) {
      if (seq < start) continue;
      if (seq > this.#to && (seq > this.#to + 1 || this.hasNewer)) break;
      this.#ahead.delete(seq);
      this.#keep(message);
      this.#to = Math.max(this.#to, seq);
      took = true;
    }
    if (took) this.#trimOldest();
    return took;
  }

  /** At its place: mostly the end. */
  #keep(message: ChatMessage): void {
    const last = this.#messages.at(-1);
    if (last === undefined || last.seq < message.seq) {
      this.#messages = [...this.#messages, message];
    } else if (!this.#change(message) && this.find(message.seq) === undefined) {
      const after = this.#messages.findIndex(({ seq }) => seq > message.seq);
      // Older than what is kept: it would tear a hole.
      if (after > 0) this.#messages = this.#messages.toSpliced(after, 0, message);
    }
  }

  #trimOldest(): void {
    if (this.#messages.length <= this.#max) return;
    this.#messages = this.#messages.slice(-this.#max);
    this.hasOlder = true;
  }
}
