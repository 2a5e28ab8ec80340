import type {
  DirectPush,
  HistoryBody,
  Json,
  PresencePush,
  SlowConsumerPolicy,
  StreamPosition,
  TypingPush,
  WirePublication,
} from "@aldis/protocol";
import type { AldisError } from "./errors.ts";

/** What messages carry: any JSON value, or bytes (PB7). */
export type Payload = Json | Uint8Array;

/** Channels without declared types: any event, any payload. */
export type AnyChannels = Record<string, AnyEvents>;
export type AnyEvents = Record<string, Payload>;

/** The names of `T` as strings: of channels, or of a channel's events. */
export type NameOf<T> = keyof T & string;

/**
 * A publication as the application sees it. With declared events it is a union over them, told apart
 * by `event`; without, `event` may be absent and `data` is any JSON, or bytes.
 */
export type Message<E = AnyEvents> = {
  [K in NameOf<E>]: Omit<WirePublication, "event" | "data" | "base64"> &
    (string extends K ? { event?: string } : { event: K }) & { data: E[K] };
}[NameOf<E>];

/** A message to this user or this connection, outside of all channels (DM1). */
export type DirectMessage = Omit<DirectPush, "data" | "base64"> & { data: Payload };

export type PublishOptions = {
  readonly event?: string | undefined;
  /** What the message is the latest value of: subscribers with `slow: "latest"` that fall behind get the last one of each. */
  readonly key?: string | undefined;
  /**
   * Two publishes of a user with the same key within 5 minutes have one effect (PB2). Every publish has
   * one, made up if not given here, so that repeating it after a break is safe.
   */
  readonly idempotencyKey?: string | undefined;
  /** A publish that is not newer than the channel's latest version is suppressed (PB3). */
  readonly version?: number | undefined;
  /** False: this connection does not get it back (PB4). */
  readonly echo?: boolean | undefined;
  /** Gives up; what was sent already may still be published. */
  readonly signal?: AbortSignal | undefined;
  /** Gives up after this time, milliseconds; default: waits as long as the client is not closed. */
  readonly timeoutMs?: number | undefined;
};

/** `data` and options of a publish. Channels with declared events need to name one. */
export type PublishArgs<E> =
  string extends NameOf<E>
    ? [data: unknown, options?: PublishOptions]
    : {
        [K in NameOf<E>]: [data: E[K], options: PublishOptions & { readonly event: K }];
      }[NameOf<E>];

export type SubscribeOptions = {
  /** How many of the latest messages to get at once when nothing is recovered, 0 to 100 (SU3). */
  readonly last?: number | undefined;
  /** Where the application stands, from an earlier {@link Subscription.position}: what came after is recovered. */
  readonly since?: StreamPosition | undefined;
  /**
   * What happens to messages that this client reads too slowly; the first one given for a channel decides for all. `close`:
   * the connection breaks and everything is recovered. `drop-oldest` and `latest` (of each `key`) leave some out, told by
   * `skipped`. `catch-up`: they come from the history later. Default: what the gateway's namespace says.
   */
  readonly slow?: SlowConsumerPolicy | undefined;
  /** Unsubscribes. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * `recovered: true`: the messages that follow continue where this subscription stood, none missing.
 * `recovered: false`: they do not (always so for a first subscription without `since`): what the
 * application knows of the channel is out of date, and it should load its state anew.
 */
export type Subscribed = {
  readonly recovered: boolean;
  /** Absent for patterns, which have none. */
  readonly position: StreamPosition | undefined;
};

export type SubscriptionEvents<E = AnyEvents> = {
  /** After each (re)subscription, before the messages that came with it. */
  subscribed: Subscribed;
  message: Message<E>;
  /** So many messages before the next one were left out, as `slow` asked for. */
  skipped: { readonly count: number };
  presence: PresencePush;
  typing: TypingPush;
  /** The subscription was refused; if `temporary`, it is tried again. */
  error: AldisError;
  /** It ended: by the application (no error), or by the gateway. It does not come back. */
  unsubscribed: { readonly error: AldisError | undefined };
};

/** A page of a channel's past, in order of offset (HI1). */
export type HistoryPage<E = AnyEvents> = Omit<HistoryBody, "publications"> & {
  publications: Message<E>[];
};

export type HistoryOptions = {
  /** 1 to 500; default 50. */
  readonly limit?: number | undefined;
  /** Only offsets smaller than this: the latest `limit` of them. */
  readonly before?: number | undefined;
  /** Only offsets greater than this: the earliest `limit` of them. */
  readonly after?: number | undefined;
  /** Fails with `position_lost` if this epoch is over. */
  readonly epoch?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type PresenceOptions = {
  /** 0 (counts alone) to 500; default 50. */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** One of the two, at least; `data: null` clears. */
export type OwnPresence = {
  readonly status?: string | undefined;
  readonly data?: Json | undefined;
};
