import type { ChatHistoryBody, ChatMessage } from "@aldis/protocol";
import { merged } from "./merge.ts";

/** Messages and changes that are kept for pages yet to be read; the store has them, too. */
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
  /** The latest one heard of. */
  #top = 0;
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
    return this.#isLoaded && !this.hasNewer && this.#top > this.#to;
  }

  find(seq: number): ChatMessage | undefined {
    return this.#messages.find((message) => message.seq === seq);
  }

  /** Everything anew: the latest page, or one around an older message. What was heard while it was read counts more. */
  reset(page: ChatHistoryBody): void {
    const known = new Map(this.#messages.map((message) => [message.seq, message]));
    for (const [seq, message] of known) if (seq > page.top) this.#putAhead(message);
    this.#messages = page.messages.map((message) =>
      this.#latest(merged(message, known.get(message.seq) ?? message)),
    );
    // The rest is in pages yet to be read, or no longer there.
    for (const seq of this.#ahead.keys()) if (seq <= page.top) this.#ahead.delete(seq);
    this.#to = page.newer ? (page.messages.at(-1)?.seq ?? page.top) : page.top;
    this.#top = Math.max(this.#top, page.top);
    this.hasOlder = page.older;
    this.hasNewer = page.newer;
    this.#isLoaded = true;
    this.#takeAhead();
  }

  /** The room is gone, and what was said in it. */
  clear(): void {
    this.#messages = [];
    this.#ahead.clear();
    this.#to = Math.max(this.#to, this.#top);
    this.hasOlder = false;
    this.hasNewer = false;
  }

  /** What is missing is nowhere: what was heard after it does not count either. */
  giveUp(): void {
    this.#top = this.#to;
    this.#ahead.clear();
  }

  /** A page before `before`; it is left when the stretch begins elsewhere by now. */
  addOlder(page: ChatHistoryBody, before: number): void {
    if (this.start !== before) return;
    const older = page.messages.filter(({ seq }) => seq < before).map((each) => this.#latest(each));
    this.#messages = [...older, ...this.#messages];
    this.hasOlder = page.older;
    if (this.#messages.length <= this.#max) return;
    this.#messages = this.#messages.slice(0, this.#max);
    this.#to = this.#messages.at(-1)?.seq ?? this.#to;
    this.hasNewer = true;
  }

  /** A page after {@link end}. */
  addNewer(page: ChatHistoryBody): void {
    for (const message of page.messages) this.#keep(this.#latest(message));
    this.#to = Math.max(this.#to, page.newer ? (page.messages.at(-1)?.seq ?? 0) : page.top);
    this.#top = Math.max(this.#top, page.top);
    this.hasNewer = page.newer;
    this.#trimOldest();
    this.#takeAhead();
  }

  /** Said, edited, deleted or reacted to. Returns whether that was news. */
  hear(message: ChatMessage): boolean {
    const { seq } = message;
    this.#top = Math.max(this.#top, seq);
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
    for (const first of this.#ahead.keys()) {
      if (this.#ahead.size <= AHEAD_MAX) break;
      this.#ahead.delete(first);
    }
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
    // A page that is being read may have them as they were before they were changed.
    for (const message of this.#messages.slice(0, -this.#max)) {
      if (message.version > 1 || (message.revision ?? 0) > 0) this.#putAhead(message);
    }
    this.#messages = this.#messages.slice(-this.#max);
    this.hasOlder = true;
  }
}
