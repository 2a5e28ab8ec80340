import type { ChannelName, ChannelPattern, CloseCause } from "@aldis/protocol";
import type { Codec } from "../codec/codec.ts";
import type { Lane, LanePolicy, Subscriber } from "../hub/subscription.ts";

/** What a session needs of its connection. */
export type SessionConnection = Subscriber & {
  readonly codec: Codec;
  send(text: string): void;
  /** The same with what is sent next; alone not before it is due. */
  sendLate(text: string): void;
  /** What was sent late leaves with this turn. */
  onLateDue(): void;
  /** The same before all that waits for the peer, but for what is urgent too: never for what has its place in an order. */
  sendUrgent(text: string): void;
  /** From now on what leaves in one turn may stand in one message (BA1). */
  sendBatches(): void;
  openLane(name: ChannelName | ChannelPattern, policy: LanePolicy): Lane;
  /** Without a `reason` the close code's own. */
  close(cause: CloseCause, reason?: string): void;
  /** Has {@link Session.onTokenDue} called at a monotonic time, or earlier. */
  wakeAt(atMs: number): void;
  /** When the frame that is handled now came, monotonic. */
  readonly lastSeenMs: number;
  /** It has been closed from this side: nothing that still comes counts. */
  readonly closing: boolean;
  /** Lets so many bytes more wait than usual, until all is sent. */
  grant(bytes: number): void;
  /** Whether a frame could be read: too many in a row that could not end the connection. */
  noteReadable(readable: boolean): void;
  /** When it was opened, monotonic. */
  readonly openedAtMs: number;
  /** Where it comes from; undefined when that is not known. */
  readonly remoteAddress: string | undefined;
  /** What waits for the peer to take it. */
  readonly waitingBytes: number;
};
