import type { Frame } from "../hub/frame.ts";
import type { Counters } from "../observe/counters.ts";
import type { BurstWriter } from "./burst-writer.ts";
import type { Flusher } from "./flusher.ts";
import { type KeepingLane, Lanes } from "./lanes.ts";
import type { Socket } from "./socket.ts";

/** Who an outbox belongs to. All but `socket` and `onBlocked` is called at the end of a turn, never within `push`. */
export type OutboxOwner = {
  readonly socket: Socket;
  /** More waits than may: the peer reads too slowly. */
  onOverflow(): void;
  /** The peer takes no more; {@link Outbox.drained} is to be called when it does, and now and then in case nobody says so. */
  onBlocked(): void;
  /** All that waited has been handed to the socket. */
  onFlushed(): void;
  /** Lanes have stopped, and so little waits now that they may go on. */
  onRoom(): void;
  /** So many bytes were handed to the socket. Hot. */
  onSent(bytes: number): void;
  /** Flushing broke: a fault of ours. */
  onFault(error: unknown): void;
};

export type OutboxOptions = {
  /** What may wait here; more than that is a slow consumer. One frame alone may always wait. */
  readonly maxBytes: number;
  /** Lanes that have stopped go on when no more than this waits. */
  readonly resumeBytes: number;
  readonly counters: Pick<Counters, "framesSent" | "bytesSent">;
  /** How frames are sent, unless a connection wants them otherwise. */
  readonly writer: BurstWriter;
};

/** How much is handed to the socket between two looks at whether the peer takes it. */
const BURST_BYTES = 64 * 1024;

const NO_LANES = { bytes: 0, paused: 0, isEmpty: true } as const;

/** Shortening costs what is left: done only when half is sent, a frame costs O(1) on average. */
const SHORTEN_AT = 64;

/**
 * What waits to be sent on one connection, in order. Hot: `push` only stores; the flusher sends what all
 * connections have, once per turn of the loop. While the peer takes nothing (`blocked`), frames
 * wait here and not in the socket: memory of a stuck client is `maxBytes`, one burst and one frame. Subscriptions with a policy
 * of their own keep theirs in lanes beside the queue, within the same bound.
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
  /** Of what is in the queue. */
  #bytes = 0;
  #lanes: Lanes | undefined;
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

  /** All that waits for the peer to take it, here and in the lanes. What the socket holds is not in it. */
  get queuedBytes(): number {
    return this.#bytes + (this.#lanes ?? NO_LANES).bytes;
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
    const { isEmpty } = this.#lanes ?? NO_LANES;
    return this.#state === "open" && this.#queue.length === 0 && isEmpty;
  }

  /**
   * Lets so many bytes more wait until a turn ends with nothing waiting: for what is held in memory anyway, such as the
   * history that a session catches up on.
   */
  grant(bytes: number): void {
    this.#grantedBytes += bytes;
  }

  push(frame: Frame): void {
    this.append(frame);
    if (this.#bytes > this.#options.maxBytes || this.#lanes !== undefined) this.#relieve();
  }

  /** The same for what is known to fit, from a lane: it cannot end the connection. */
  append(frame: Frame): void {
    if (this.#isOver) return;
    this.#queue.push(frame);
    this.#bytes += frame.bytes;
    if (this.#state === "open") this.#list();
  }

  /** The same for what nobody is in a hurry for: it goes with what is sent next, or when {@link hurry} is called. */
  pushUnhurried(frame: Frame): void {
    if (this.#isOver) return;
    this.#queue.push(frame);
    this.#bytes += frame.bytes;
    this.#relieve();
  }

  /** What was pushed unhurried leaves with this turn. */
  hurry(): void {
    if (this.#state === "open" && this.#queue.length > 0) this.#list();
  }

  /** The same before all that waits and is not urgent (docs/protocol.md FR6). O(what waits): for the few. */
  pushUrgent(frame: Frame): void {
    if (this.#isOver) return;
    this.#queue.splice(this.#head + this.#urgent, 0, frame);
    this.#urgent++;
    this.#bytes += frame.bytes;
    if (this.#state === "open") this.#list();
    this.#relieve();
  }

  /** Frames are sent in another way from now on. */
  writeWith(writer: BurstWriter): void {
    this.#writer = writer;
  }

  /** Whether so much may be appended now: the peer takes what it is sent, and not too much waits in this turn. */
  takes(bytes: number): boolean {
    if (this.#state !== "open") return false;
    if (this.hasRoom(bytes, this.#options.maxBytes)) return true;
    this.flushNow();
    return !this.blocked;
  }

  /** Whether so much more may wait and leave it below `max`; one frame alone always may. */
  hasRoom(bytes: number, max = this.#options.resumeBytes): boolean {
    return this.queuedBytes === 0 || this.queuedBytes + bytes <= max;
  }

  /** A lane keeps so much more, or less: its policy is asked when all together is too much. */
  keep(lane: KeepingLane, change: { readonly bytes: number; readonly count: number }): void {
    if (this.#isOver) return;
    this.#lanes ??= new Lanes();
    this.#lanes.note(lane, change);
    if (change.bytes <= 0) return;
    if (this.#state === "open") this.#list();
    this.#relieve();
  }

  /** A lane has stopped: it is told by {@link OutboxOwner.onRoom} when it may go on. */
  paused(): void {
    if (this.#lanes !== undefined) this.#lanes.paused++;
  }

  resumed(): void {
    if (this.#lanes !== undefined) this.#lanes.paused--;
  }

  /**
   * Sends what waits until it is all gone or the peer takes no more; for the flusher alone. `corked`
   * calls {@link writeBurst} of this outbox: one function for all, since a closure for each flush would be garbage.
   */
  flush(corked: () => void): void {
    try {
      if (this.#state === "overflown") this.#owner.onOverflow();
      const mayMove = this.#state === "open";
      this.#write(corked);
      if (mayMove && this.#hasRoomForPaused) this.#owner.onRoom();
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
    let bytes = this.#bytes;
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
    this.#owner.onSent(bytes);
    this.#head = to;
    this.#urgent = Math.max(0, this.#urgent - (to - from));
    this.#bytes -= bytes;
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
    while (this.#state === "open" && this.#hasMore()) {
      this.#owner.socket.cork(corked);
      if (this.#owner.socket.getBufferedAmount() === 0) continue;
      this.#state = "blocked";
      this.#owner.onBlocked();
    }
    this.#enforce();
  }

  /** What lanes keep goes when the queue is empty, a burst at a time. */
  #hasMore(): boolean {
    const lanes = this.#lanes;
    if (lanes === undefined) return this.#queue.length > 0;
    while (this.#queue.length === 0 && !lanes.isEmpty) lanes.handOut(BURST_BYTES);
    return this.#queue.length > 0;
  }

  /** Too much for one turn: a peer that keeps up is sent it now, one that does not has too much waiting. */
  #relieve(): void {
    if (this.queuedBytes <= this.#options.maxBytes) return;
    if (this.#state === "open") this.flushNow();
    else this.#enforce();
  }

  /** What lanes keep goes first, by their policies; then it is a slow consumer. */
  #enforce(): void {
    const max = this.#options.maxBytes + this.#grantedBytes;
    if (this.queuedBytes <= max) return;
    const waiting = this.#queue.length - this.#head;
    this.#lanes?.shed(Math.max(0, max - this.#bytes), { alone: waiting === 0 });
    if (waiting > 1 && this.#bytes > max) this.#overflow();
  }

  get #hasRoomForPaused(): boolean {
    if (this.#isOver || (this.#lanes ?? NO_LANES).paused === 0) return false;
    return this.queuedBytes <= this.#options.resumeBytes;
  }

  get #isOver(): boolean {
    return this.#state === "closed" || this.#state === "overflown";
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
    this.#bytes = 0;
    this.#lanes?.clear();
    this.#grantedBytes = 0;
  }
}
