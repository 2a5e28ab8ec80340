import type { Frame } from "../hub/frame.ts";
import type { Counters } from "../observe/counters.ts";
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
  /** Frames of at least so many bytes are sent compressed; Infinity: none. */
  readonly compressMinBytes: number;
  readonly counters: Pick<Counters, "framesSent" | "bytesSent">;
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
  #queuedBytes = 0;
  #grantedBytes = 0;
  #state: "open" | "blocked" | "overflown" | "closed" = "open";
  /** In the flusher's list; the flusher's alone. */
  listed = false;

  constructor(owner: OutboxOwner, flusher: Flusher, options: OutboxOptions) {
    this.#owner = owner;
    this.#flusher = flusher;
    this.#options = options;
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
    // Fields in locals, and no second argument unless it says something: 10 % of a delivery (decision 2).
    const { socket } = this.#owner;
    const { compressMinBytes, counters } = this.#options;
    const queue = this.#queue;
    let head = this.#head;
    let burst = 0;
    while (head < queue.length && burst < BURST_BYTES) {
      const frame = queue[head];
      if (frame === undefined) break;
      head++;
      burst += frame.bytes;
      if (frame.bytes >= compressMinBytes) socket.sendText(frame.text, true);
      else socket.sendText(frame.text);
    }
    counters.framesSent += head - this.#head;
    counters.bytesSent += burst;
    this.#head = head;
    this.#queuedBytes -= burst;
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
    this.#queuedBytes = 0;
    this.#grantedBytes = 0;
  }
}
