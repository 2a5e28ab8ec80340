import type {
  ChannelName,
  ChannelPattern,
  SlowConsumerPolicy,
  StreamPosition,
} from "@aldis/protocol";
import type { Frame } from "./frame.ts";
import type { HubChannel } from "./hub-channel.ts";

/** What the hub needs of whoever is subscribed. */
export type Subscriber = {
  readonly connectionId: string;
  /** Undefined until it is known who it is. */
  readonly userId: string | undefined;
  /** Takes a frame to be sent at the end of this turn. Never throws, never closes anything in this turn. */
  deliver(frame: Frame): void;
  /** The hub's mark of the last publication handed over, so that matching patterns give one copy. */
  lastDelivery: number;
};

/** What happens to messages of a subscription that the peer is too slow for, other than ending the connection. */
export type LanePolicy = Exclude<SlowConsumerPolicy, "close">;

/**
 * A subscriber of its own for one subscription that has such a policy, before that of the connection. `catch-up` stops
 * (`isPaused`) when too much waits, and is fed from the history until it has what it passed over.
 */
export type Lane = Subscriber & {
  /** Nothing waits and nothing is left out untold: its client has been sent all that the hub delivered. */
  readonly isCurrent: boolean;
  /** All up to here has been sent or told to be left out. */
  readonly handedOffset: number;
  readonly isPaused: boolean;
  /** While paused: what comes after it is to be fed. */
  readonly position: StreamPosition;
  /** The latest that the hub delivered. */
  readonly seenOffset: number;
  /** The history is being read for it; whoever reads it says so. */
  reading: boolean;
  /** Its client has heard that it catches up; whoever tells it says so. */
  isTold: boolean;
  /** Its client stands at `position`, by a reply or push that goes before all that is delivered here. */
  start(position: StreamPosition): void;
  /** Forgets what it keeps and stands there; live, if it was not closed. */
  startAnew(position: StreamPosition): void;
  /** Hands a frame to the connection itself. */
  tell(frame: Frame): void;
  /** A push that does nothing but move the position on. */
  pass(frame: Frame, offset: number): void;
  /** While paused: the next publication, from the history. False: there is no room for it now. */
  feed(frame: Frame): boolean;
  /** Ends the pause: all that was passed over has been fed. */
  goOn(): void;
  /** Forgets what it keeps; what is still delivered goes nowhere. */
  close(): void;
};

/** A position; `lost`: its client has yet to hear that it lost something; undefined: it stands nowhere yet. */
export type Place = StreamPosition | "lost" | undefined;

/**
 * One session's interest in one channel or pattern. A class with fixed fields, since there is one for each
 * subscription of each connection.
 */
export class Subscription {
  readonly subscriber: Subscriber;
  readonly name: ChannelName | ChannelPattern;
  /** Set while live in a channel; undefined for patterns, and while it is still being joined. */
  channel: HubChannel | undefined = undefined;
  /** Its place in the channel's list; the hub's alone. */
  index = -1;
  /** While it is being joined: where its client stood before. */
  place: Place = undefined;
  /** Joined ahead of its channel on this node: it has all up to here already. */
  startsAfter = 0;
  /** The greatest offset that the delivery proof under way covers; -1: none does (docs/protocol.md SE5). */
  sentOffset = -1;
  /** All up to here has come to the client, as far as is proven. */
  provenOffset = 0;
  /** That something is gone was told, but is not proven to have been heard: it is to be told again. */
  lossUnheard = false;
  /** Set when its subscriber is a lane. */
  lane: Lane | undefined = undefined;
  /** What its client asked for; undefined: the namespace says. */
  slow: SlowConsumerPolicy | undefined = undefined;

  constructor(subscriber: Subscriber, name: ChannelName | ChannelPattern) {
    this.subscriber = subscriber;
    this.name = name;
  }

  /** All that was handed over so far is covered by the proof that begins. */
  noteSent(): void {
    const { channel, lane } = this;
    if (channel === undefined) return;
    const reached = Math.max(channel.top, this.startsAfter);
    this.sentOffset = lane === undefined || lane.isCurrent ? reached : lane.handedOffset;
  }

  /** Its client lost something, hears of it by `frame`, and stands at `position` (CH4). */
  startAnew(position: StreamPosition, frame: Frame): void {
    this.startsAfter = 0;
    this.sentOffset = -1;
    this.provenOffset = position.offset;
    this.lossUnheard = true;
    this.lane?.startAnew(position);
    this.tell(frame);
  }

  /** Sends what is no message of it: no policy leaves it out. */
  tell(frame: Frame): void {
    if (this.lane === undefined) this.subscriber.deliver(frame);
    else this.lane.tell(frame);
  }

  /** All that was sent when the proof began has come. */
  prove(): void {
    if (this.sentOffset < 0) return;
    this.provenOffset = this.sentOffset;
    this.lossUnheard = false;
  }

  /** Where its client stands, as far as is proven: where it goes on when the connection breaks. */
  get standing(): Place {
    if (this.channel === undefined) return this.place;
    if (this.lossUnheard) return "lost";
    return { offset: this.provenOffset, epoch: this.channel.epoch };
  }
}
