import type { Frame } from "../hub/frame.ts";
import type { Counters } from "../observe/counters.ts";
import type { BurstWriter } from "./burst-writer.ts";
import type { Flusher } from "./flusher.ts";
import type { Socket } from "./socket.ts";

/** Who an outbox belongs to. All but `socket` is called at the end of a turn, never within `push`. */
export type OutboxOwner = {
  readonly socket: Socket;
  /** More waits than may: the peer reads too slowly. */
  onOverflow(): void;
  /** All that waited has been handed to the socket. */
  onFlushed(): void;
  /** Flushing broke: a fault of ours. */
  onFault(error: unknown): void;
};

export type OutboxOptions = {
  /** What may wait here; more than that is a slow consumer. One frame alone may always wait. */
  readonly maxBytes: number;
  readonly counters: Pick<Counters, "framesSent" | "bytesSent">;
  /** How frames are sent, unless a connection wants them otherwise. */
  readonly writer: BurstWriter;
};

/** How much is handed to the socket between two looks at whether the peer takes it. */
const BURST_BYTES = 64 * 1024;

/** Shortening costs what is left: done only when half is sent, a frame costs O(1) on average. */
const SHORTEN_AT = 64;

/**
 * What waits to be sent on one connection, in order. Hot: `push` only stores; the flusher sends what all
 * connections have, once per turn of the loop. While the peer takes nothing (`blocked`), frames
 * wait here and not in the socket: memory of a stuck client is `maxBytes`, one burst and one frame.
 */
export class Outbox {
  readonly #owner: OutboxOwner;
  readonly #flusher: Flusher;
  readonly #options: OutboxOptions;
  #queue: Frame[] = [];
  #head = 0;
  /** How many of those that wait, from the head on, are urgent. */
  #urgent = 0;
  #writer: BurstWriter;
  #queuedBytes = 0;
  #grantedBytes = 0;
  #state: "open" | "blocked" | "overflown" | "closed" = "open";
  /** In the flusher's list; the flusher's alone. */
  listed = false;

  constructor(owner: OutboxOwner, flusher: Flusher, options: OutboxOptions) {
    this.#owner = owner;
    this.#flusher = flusher;
    this.#options = options;
    this.#writer = options.writer;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Too much waited: the connection ends with this turn. */
  get overflown(): boolean {
    return this.#state === "overflown";
  }

  get blocked(): boolean {
    return this.#state === "blocked";
  }

  /** Nothing waits, here or in the socket: what was pushed has been sent. */
  get idle(): boolean {
    return this.#state === "open" && this.#queue.length === 0;
  }

  /**
   * Lets so many bytes more wait until a turn ends with nothing waiting: for what is held in memory anyway, such as the
   * history that a session catches up on.
   */
  grant(bytes: number): void {
    this.#grantedBytes += bytes;
  }

  push(frame: Frame): void {
    if (this.#state === "closed" || this.#state === "overflown") return;
    this.#queue.push(frame);
    this.#added(frame);
  }

  /** The same before all that waits and is not urgent (docs/protocol.md FR6). O(what waits): for the few. */
  pushUrgent(frame: Frame): void {
    if (this.#state === "closed" || this.#state === "overflown") return;
    this.#queue.splice(this.#head + this.#urgent, 0, frame);
    this.#urgent++;
    this.#added(frame);
  }

  /** Frames are sent in another way from now on. */
  writeWith(writer: BurstWriter): void {
    this.#writer = writer;
  }

  #added(frame: Frame): void {
    this.#queuedBytes += frame.bytes;
    if (this.#state === "open") this.#list();
    if (this.#queuedBytes > this.#options.maxBytes) this.#relieve();
  }

  /**
   * Sends what waits until it is all gone or the peer takes no more; for the flusher alone. `corked`
   * calls {@link writeBurst} of this outbox: one function for all, since a closure for each flush would be garbage.
   */
  flush(corked: () => void): void {
    try {
      if (this.#state === "overflown") this.#owner.onOverflow();
      this.#write(corked);
      if (!this.idle) return;
      this.#grantedBytes = 0;
      this.#owner.onFlushed();
    } catch (error) {
      this.#owner.onFault(error);
    }
  }

  /** Before a close: what can be sent at once goes before the close frame. */
  flushNow(): void {
    this.#write(() => this.writeBurst());
  }

  /** Sends one burst. Runs inside `socket.cork`, so that it leaves in one system call. */
  writeBurst(): void {
    const queue = this.#queue;
    const from = this.#head;
    let to = queue.length;
    let bytes = this.#queuedBytes;
    if (bytes > BURST_BYTES) {
      bytes = 0;
      for (to = from; to < queue.length && bytes < BURST_BYTES; to++) {
        bytes += queue[to]?.bytes ?? 0;
      }
    }
    this.#writer(this.#owner.socket, queue, from, to);
    const { counters } = this.#options;
    counters.framesSent += to - from;
    counters.bytesSent += bytes;
    this.#head = to;
    this.#urgent = Math.max(0, this.#urgent - (to - from));
    this.#queuedBytes -= bytes;
    this.#forgetSent();
  }

  /** The peer takes something again; only when it has taken all that the socket held is more sent. */
  drained(): void {
    if (this.#state !== "blocked" || this.#owner.socket.getBufferedAmount() > 0) return;
    this.#state = "open";
    this.#list();
  }

  /** Forgets what waits; nothing is sent any more. */
  close(): void {
    this.#state = "closed";
    this.#forget();
  }

  #write(corked: () => void): void {
    while (this.#state === "open" && this.#queue.length > 0) {
      this.#owner.socket.cork(corked);
      if (this.#owner.socket.getBufferedAmount() > 0) this.#state = "blocked";
    }
    if (this.#tooMuch) this.#overflow();
  }

  /** Too much for one turn: a peer that keeps up is sent it now, one that does not has too much waiting. */
  #relieve(): void {
    if (this.#state === "open") this.flushNow();
    else if (this.#tooMuch) this.#overflow();
  }

  get #tooMuch(): boolean {
    const waiting = this.#queue.length - this.#head;
    return waiting > 1 && this.#queuedBytes > this.#options.maxBytes + this.#grantedBytes;
  }

  #list(): void {
    if (!this.listed) this.#flusher.add(this);
  }

  /** Nothing is lost by this where there is history: the client comes back and recovers. */
  #overflow(): void {
    this.#state = "overflown";
    this.#forget();
    this.#list();
  }

  /** A peer that keeps up but never quite would otherwise have all that it was ever sent kept for it. */
  #forgetSent(): void {
    if (this.#head === this.#queue.length) {
      this.#queue.length = 0;
      this.#head = 0;
    } else if (this.#head >= SHORTEN_AT && this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #forget(): void {
    this.#queue = [];
    this.#head = 0;
    this.#urgent = 0;
    this.#queuedBytes = 0;
    this.#grantedBytes = 0;
  }
}
