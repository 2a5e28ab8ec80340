import type { ChannelName, ChannelPattern, StreamPosition } from "@aldis/protocol";
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
  /** The greatest offset that the delivery proof under way covers; -1: none does (docs/protocol.md SE5). */
  sentOffset = -1;
  /** All up to here has come to the client, as far as is proven. */
  provenOffset = 0;
  /** That something is gone was told, but is not proven to have been heard: it is to be told again. */
  lossUnheard = false;

  constructor(subscriber: Subscriber, name: ChannelName | ChannelPattern) {
    this.subscriber = subscriber;
    this.name = name;
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
