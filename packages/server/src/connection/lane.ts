import {
  type ChannelName,
  type ChannelPattern,
  isChannelPattern,
  pushFrame,
  type StreamPosition,
} from "@aldis/protocol";
import { type Frame, frameOf } from "../hub/frame.ts";
import type { LanePolicy, Lane as SubscriptionLane } from "../hub/subscription.ts";
import type { Counters } from "../observe/counters.ts";
import { FrameQueue, type KeptFrames, LatestFrames } from "./kept-frames.ts";
import type { KeepingLane } from "./lanes.ts";
import type { Outbox } from "./outbox.ts";

/** What a lane needs of its connection. */
export type LaneOwner = {
  readonly connectionId: string;
  readonly userId: string | undefined;
  lastDelivery: number;
  readonly outbox: Outbox;
  /** Takes a frame that {@link Outbox.takes}, to be sent at the end of this turn. */
  handOver(frame: Frame): void;
  /** Takes any other: it goes before all that lanes keep. */
  deliver(frame: Frame): void;
};

export type LaneCounters = Pick<Counters, "framesDropped" | "framesConflated" | "catchUps">;

/**
 * Stands before the connection for one subscription whose messages may be left out while the peer takes nothing
 * (docs/protocol.md section 19). While it does take, frames go straight through; what the lane keeps goes as the socket
 * drains, in order of offset, and a `position` push tells what is left out before the message that comes after it.
 */
export class Lane implements SubscriptionLane, KeepingLane {
  bytes = 0;
  reading = false;
  isTold = false;
  readonly #owner: LaneOwner;
  readonly #counters: LaneCounters;
  readonly #name: ChannelName | ChannelPattern;
  readonly #policy: LanePolicy;
  #kept: KeptFrames | undefined;
  #epoch = "";
  /** All up to here was handed to the connection, or told to be left out. */
  #handed = 0;
  /** The latest publication that is handed or kept. */
  #tail = 0;
  /** The latest publication that came. */
  #seen = 0;
  /** Publications left out since it began to keep; of a pattern, those that are not told yet. */
  #left = 0;
  #state: "live" | "paused" | "closed" = "live";

  constructor(
    owner: LaneOwner,
    counters: LaneCounters,
    name: ChannelName | ChannelPattern,
    policy: LanePolicy,
  ) {
    this.#owner = owner;
    this.#counters = counters;
    this.#name = name;
    this.#policy = policy;
  }

  get connectionId(): string {
    return this.#owner.connectionId;
  }

  get userId(): string | undefined {
    return this.#owner.userId;
  }

  get lastDelivery(): number {
    return this.#owner.lastDelivery;
  }

  set lastDelivery(delivery: number) {
    this.#owner.lastDelivery = delivery;
  }

  get isDone(): boolean {
    return this.#isEmpty && (this.#left === 0 || this.#state !== "live");
  }

  get isCurrent(): boolean {
    return this.isDone && this.#state === "live";
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  get handedOffset(): number {
    return this.#handed;
  }

  get position(): StreamPosition {
    return { offset: this.#tail, epoch: this.#epoch };
  }

  get seenOffset(): number {
    return this.#seen;
  }

  start({ offset, epoch }: StreamPosition): void {
    this.#epoch = epoch;
    this.#handed = offset;
    this.#tail = offset;
    this.#seen = offset;
  }

  startAnew(position: StreamPosition): void {
    if (this.#state === "closed") return;
    this.#forget();
    this.start(position);
    this.goOn();
  }

  tell(frame: Frame): void {
    this.#owner.deliver(frame);
  }

  /** Hot, as far as it is taken. */
  deliver(frame: Frame): void {
    if (frame.offset > 0) this.#seen = frame.offset;
    if (this.#state !== "live") return;
    if (this.isDone && this.#owner.outbox.takes(frame.bytes)) this.#hand(frame);
    else this.#keep(frame);
  }

  pass(frame: Frame, offset: number): void {
    this.#seen = offset;
    if (this.#state !== "live") return;
    if (this.isDone && this.#owner.outbox.takes(frame.bytes)) {
      this.#owner.handOver(frame);
      this.#handed = offset;
      this.#tail = offset;
      return;
    }
    this.#left++;
    this.#owner.outbox.keep(this, { bytes: 0, count: 0 });
  }

  feed(frame: Frame): boolean {
    const { outbox } = this.#owner;
    if (this.#isEmpty && outbox.takes(frame.bytes)) this.#hand(frame);
    else if (outbox.hasRoom(frame.bytes)) this.#keep(frame);
    else return false;
    return true;
  }

  goOn(): void {
    if (this.#state !== "paused") return;
    this.#state = "live";
    this.#owner.outbox.resumed();
  }

  handNext(): void {
    const frame = this.#shift();
    if (frame !== undefined) this.#hand(frame);
    // Nothing follows that would tell it.
    if (!this.#isEmpty || this.#left === 0) return;
    this.#tellLeft(this.#seen);
    this.#left = 0;
  }

  giveUp(): void {
    if (this.#policy === "catch-up") return this.#pause();
    const frame = this.#shift();
    if (frame === undefined) return;
    this.#counters.framesDropped++;
    if (frame.offset > 0) this.#left++;
    this.#owner.outbox.keep(this, { bytes: 0, count: 0 });
  }

  close(): void {
    const wasPaused = this.#state === "paused";
    this.#state = "closed";
    this.#forget();
    if (wasPaused) this.#owner.outbox.resumed();
  }

  get #isEmpty(): boolean {
    return this.#kept === undefined || this.#kept.count === 0;
  }

  #hand(frame: Frame): void {
    if (frame.offset > 0) {
      if (this.#left > 0) this.#tellLeft(frame.offset - 1);
      this.#handed = frame.offset;
      this.#tail = Math.max(this.#tail, frame.offset);
    }
    this.#owner.handOver(frame);
  }

  /**
   * What stands between two messages is left out: the client shall not take it for a gap (BP3). Every offset counts, that of an
   * own publication without echo too: one jump that is not told would have the client recover.
   */
  #tellLeft(offset: number): void {
    const channel = this.#name;
    const isPattern = isChannelPattern(channel);
    const skipped = isPattern ? this.#left : offset - this.#handed;
    if (skipped <= 0) return;
    const body = isPattern ? { channel, skipped } : { channel, offset, skipped };
    this.#owner.handOver(frameOf(pushFrame("position", body)));
    this.#handed = offset;
    if (isPattern) this.#left = 0;
  }

  #keep(frame: Frame): void {
    this.#kept ??= this.#policy === "latest" ? new LatestFrames() : new FrameQueue();
    if (frame.offset > 0) this.#tail = frame.offset;
    const replaced = this.#kept.push(frame);
    if (replaced !== undefined) {
      this.#counters.framesConflated++;
      this.#left++;
    }
    const change = { bytes: frame.bytes - (replaced?.bytes ?? 0), count: replaced ? 0 : 1 };
    this.bytes += change.bytes;
    this.#owner.outbox.keep(this, change);
  }

  #shift(): Frame | undefined {
    const frame = this.#kept?.shift();
    if (frame === undefined) return undefined;
    this.bytes -= frame.bytes;
    this.#owner.outbox.keep(this, { bytes: -frame.bytes, count: -1 });
    return frame;
  }

  /** All that comes is passed over from now on: the history has it. */
  #pause(): void {
    this.#forget();
    this.#tail = this.#handed;
    if (this.#state === "paused") return;
    this.#state = "paused";
    this.isTold = false;
    this.#counters.catchUps++;
    this.#owner.outbox.paused();
  }

  #forget(): void {
    const change = { bytes: -this.bytes, count: -(this.#kept?.count ?? 0) };
    this.#kept = undefined;
    this.bytes = 0;
    this.#left = 0;
    this.#owner.outbox.keep(this, change);
  }
}
