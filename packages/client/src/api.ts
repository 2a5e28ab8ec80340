import type { Json, PresenceBody, PublishBody, SendBody, StreamPosition } from "@aldis/protocol";
import type { Listener } from "./emitter.ts";
import type { AldisError } from "./errors.ts";
import type { ClientState, ConnectedState } from "./state.ts";
import type {
  AnyChannels,
  AnyEvents,
  DirectMessage,
  HistoryOptions,
  HistoryPage,
  NameOf,
  OwnPresence,
  PresenceOptions,
  PublishArgs,
  Subscribed,
  SubscribeOptions,
  SubscriptionEvents,
} from "./types.ts";

export type ClientEvents = {
  /** After every change of {@link Client.state}. */
  state: ClientState;
  /** A message to this user or connection (DM1). */
  direct: DirectMessage;
  /**
   * The application's backend has put this client into a channel (SE9). Told before the first message of it; who
   * listens before `connect` misses none. It holds as one of {@link Client.subscribe} does. When the gateway has forgotten the session,
   * it is subscribed to anew, which the token may not allow.
   */
  granted: Subscription;
  /** A push that the client does not know: of a plugin of the gateway, say. */
  push: { readonly action: string; readonly data: Json };
  /**
   * True: something that the gateway needs is away. What is published meanwhile may be refused with `unavailable`, and messages of other
   * nodes may be late; nothing is lost. False: it is back, or this client is on another node.
   */
  degraded: boolean;
  /** What no call and no subscription's `error` listener could be told. */
  error: AldisError;
};

export type RequestOptions = {
  readonly signal?: AbortSignal | undefined;
};

export type SendOptions = RequestOptions & {
  /** Overtakes what waits for a receiver that reads slowly (DM3). */
  readonly urgent?: boolean | undefined;
  readonly event?: string | undefined;
};

/**
 * One gateway, seen from one client. `Channels` declares the events of each channel, by name or by
 * template: `{ "chat:lobby": { say: { text: string } } }`. Calls that wait for an answer reject with
 * an {@link AldisError}, or with the signal's reason when given up. They may be made at any time: what
 * needs a connection waits for one, at most `commandTimeoutMs`; publishes wait for ever.
 */
export type Client<Channels extends object = AnyChannels> = {
  readonly state: ClientState;

  /** Connects, and keeps it so until {@link close}. No effect while it does. */
  connect(): void;
  /**
   * Ends the session; publishes that wait reject with `closed`. Subscriptions stay: they recover what
   * they missed after another `connect`.
   */
  close(): void;
  /** Resolves once connected; rejects with `closed` when it will not be. */
  ready(options?: RequestOptions): Promise<ConnectedState>;
  /** Returns the function that removes the listener. */
  on<K extends keyof ClientEvents>(name: K, listener: Listener<ClientEvents[K]>): () => void;

  /**
   * Subscribes to a channel or a pattern (`orders:*`), for as long as the client lives. Several calls for a
   * channel share one subscription on the wire; each has its own listeners, and ends alone.
   */
  subscribe<C extends NameOf<Channels>>(
    channel: C,
    options?: SubscribeOptions,
  ): Subscription<Channels[C]>;
  /**
   * Resolves when the publication has its place in the channel (PB1). While there is no connection it
   * waits in a bounded queue (`queue_full` beyond it); after a break it is repeated under the same
   * idempotency key. Publishes to a channel keep their order. What had to wait is repeated when it is refused for now; what
   * is published while connected rejects then (`temporary`, `retryAfterMs`), and is the application's to repeat.
   */
  publish<C extends NameOf<Channels>>(
    channel: C,
    ...args: PublishArgs<Channels[C]>
  ): Promise<PublishBody>;
  /** A message outside of all channels; resolves to the number of connections that were handed it (DM1); `missing` nodes of a cluster did not say. */
  send(
    to: { readonly user: string } | { readonly connection: string },
    data: unknown,
    options?: SendOptions,
  ): Promise<SendBody>;
  history<C extends NameOf<Channels>>(
    channel: C,
    options?: HistoryOptions,
  ): Promise<HistoryPage<Channels[C]>>;
  presence(channel: NameOf<Channels>, options?: PresenceOptions): Promise<PresenceBody>;
  /** Milliseconds to the gateway and back. */
  ping(options?: RequestOptions): Promise<number>;
  /** Any command, for actions of plugins. It is never sent twice. Resolves to the reply's `data`. */
  request(action: string, data: object, options?: RequestOptions): Promise<object>;
};

export type Subscription<E = AnyEvents> = {
  readonly channel: string;
  /** `pending` also while the connection is away; `ended` does not come back. */
  readonly state: "pending" | "subscribed" | "ended";
  /** Rejects when the subscription is refused for good, ends, or the client is closed before it is there. */
  readonly ready: Promise<Subscribed>;
  /** Up to where messages came; undefined before the first reply, and for patterns. Kept, it can be given as `since`. */
  readonly position: StreamPosition | undefined;
  on<K extends keyof SubscriptionEvents<E>>(
    name: K,
    listener: Listener<SubscriptionEvents<E>[K]>,
  ): () => void;
  /** See {@link Client.publish}. */
  publish(...args: PublishArgs<E>): Promise<PublishBody>;
  history(options?: HistoryOptions): Promise<HistoryPage<E>>;
  presence(options?: PresenceOptions): Promise<PresenceBody>;
  /** What others see of this user here (PR2); told again after a reconnect that lost it. */
  setPresence(own: OwnPresence, options?: RequestOptions): Promise<void>;
  /**
   * Call it with `true` at every keystroke: it is sent once in a while only. Ends by itself after 5 s.
   * Dropped while there is no connection; a refusal goes to the client's `error`.
   */
  typing(typing: boolean): void;
  /** Ends this subscription; the last one of a channel ends it on the wire. */
  unsubscribe(): void;
};
