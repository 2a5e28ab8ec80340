import type { ChannelName, ChannelPattern } from "@aldis/protocol";
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

/**
 * One session's interest in one channel or pattern. A class with fixed fields, since there is one for each
 * subscription of each connection.
 */
export class Subscription {
  readonly subscriber: Subscriber;
  readonly name: ChannelName | ChannelPattern;
  /** Set while live in a channel; undefined for patterns. */
  channel: HubChannel | undefined = undefined;
  /** Its place in the channel's list; the hub's alone. */
  index = -1;
  /** The greatest offset that a delivery proof under way covers (docs/protocol.md SE5). */
  sentOffset: number;
  /** All up to here has come to the client, as far as is proven. */
  provenOffset: number;

  constructor(subscriber: Subscriber, name: ChannelName | ChannelPattern, offset: number) {
    this.subscriber = subscriber;
    this.name = name;
    this.sentOffset = offset;
    this.provenOffset = offset;
  }
}
