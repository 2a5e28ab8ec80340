import type { ChannelName, Sender, StreamPosition } from "@aldis/protocol";
import type { Awaitable } from "../awaitable.ts";
import type { ChannelKey } from "../tenant/tenant.ts";

/** What is to be published. Channel, sender and data were checked by the caller. */
export type Draft = {
  readonly channel: ChannelName;
  readonly event: string | undefined;
  readonly key: string | undefined;
  readonly from: Sender | undefined;
  /** The member that carries the payload, as `payloadJson` of the protocol makes it. */
  readonly payloadJson: string;
  /** The connection that shall not be sent it. */
  readonly exclude: string | undefined;
  /** Already scoped to its publisher: one user's key must not be able to swallow another's publication. */
  readonly idempotencyKey: string | undefined;
  readonly version: number | undefined;
};

/** A message with its place in its channel's stream, encoded once for everyone. Immutable. */
export type Publication = {
  readonly channel: ChannelName;
  readonly offset: number;
  /** What it is the latest value of; undefined: of the channel. */
  readonly key: string | undefined;
  /** JSON of its wire form. */
  readonly json: string;
  readonly exclude: string | undefined;
};

/** How much of a channel's past is kept. `size: 0` keeps the position alone. */
export type HistoryOptions = {
  readonly size: number;
  readonly ttlMs: number;
  readonly maxBytes: number;
};

/** `duplicate`: the idempotency key was seen before, and this is what was answered then. */
export type PublishOutcome = StreamPosition & {
  readonly kind: "published" | "suppressed";
  readonly duplicate: boolean;
};

/** `before` and `after` are exclusive; with neither: the latest `limit`. Always in order of offset. */
export type HistoryQuery = {
  readonly limit: number;
  readonly before: number | undefined;
  readonly after: number | undefined;
};

export type HistoryPage = {
  readonly publications: readonly Publication[];
  readonly top: StreamPosition;
  readonly more: boolean;
};

/**
 * The answer to "what came after this position": all of it, or nothing and the fact that some is gone.
 * `publications` end at `top`.
 */
export type Recovery = {
  readonly recovered: boolean;
  readonly publications: readonly Publication[];
  readonly top: StreamPosition;
};

/** What a broker is interested in for this node: one channel, or all whose key starts with a prefix. */
export type Interest = { readonly key: ChannelKey } | { readonly prefix: string };

/**
 * Called for each publication in a channel of interest, with the epoch that its offset counts in, from the moment that
 * `subscribe` is done. May also be called for others; the hub drops what nobody wants. An embedded broker calls it in order of
 * offset, once each; one over a network may lose, repeat or start a new epoch, and the hub sees that by offset and epoch.
 */
export type Deliver = (key: ChannelKey, publication: Publication, epoch: string) => void;

/** A signal has come, see {@link Broker.signal}. */
export type DeliverSignal = (key: ChannelKey, feature: string, body: string) => void;

/**
 * Moves publications between nodes and stores them. Promises, for each channel on its own:
 * - `publish` gives the next offset, stores, and hands on to `deliver` as one step; offsets of one epoch
 *   are 1, 2, 3, … and an epoch is new whenever earlier offsets may have been forgotten.
 * - What `publish` answered, `recover` and `history` find, until the history options let go of it.
 * - The answer of a repeated idempotency key is the first one's, for the time and number of keys of PB2.
 * - Reads of a channel that is not remembered forget no other; its epoch stays while nothing of its tenant is forgotten.
 * - What is forgotten for want of room is of the tenant that holds the most, and nothing is that is subscribed to.
 * Methods reject or throw `BrokerUnavailable` when the broker cannot be reached; then the publish may or may not have
 * happened, and only an idempotency key makes repeating it safe.
 */
export type Broker = {
  publish(key: ChannelKey, draft: Draft, history: HistoryOptions): Awaitable<PublishOutcome>;
  /** Reads go by the options in force, not by those of the last publish: a change of options holds at once (HT2). */
  history(key: ChannelKey, query: HistoryQuery, history: HistoryOptions): Awaitable<HistoryPage>;
  recover(key: ChannelKey, since: StreamPosition, history: HistoryOptions): Awaitable<Recovery>;
  /** The position of the latest publication; offset 0 in a channel without any. */
  top(key: ChannelKey): Awaitable<StreamPosition>;
  /**
   * The same of many at once, in their order; undefined: that one cannot be had now. Each was read after the call, so that a
   * node that was delivered more than this has been told of a stream that went back.
   */
  tops(keys: readonly ChannelKey[]): Awaitable<readonly (StreamPosition | undefined)[]>;
  /** Interest is counted: as many `unsubscribe` as `subscribe` end it. */
  subscribe(interest: Interest): Awaitable<void>;
  unsubscribe(interest: Interest): void;
  /**
   * Hands `body` to the same feature on every node that has interest in the channel, this one too: at most once, in no
   * order with publications, stored nowhere. For what is out of date a moment later anyway (typing, presence).
   */
  signal(key: ChannelKey, feature: string, body: string): void;
  close(): Awaitable<void>;
};
