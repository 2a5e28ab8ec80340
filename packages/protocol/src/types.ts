import type { ErrorCode } from "./errors.ts";

/** The version of the native protocol, as told in `welcome`. */
export const PROTOCOL_VERSION = 1;

/** Anything JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Chosen by the client to find the reply; a reply carries the same value. */
export type CommandId = number | string;

/** A place in a channel's history: `offset` counts from 1 within one `epoch` (docs/protocol.md CH3). */
export type StreamPosition = { offset: number; epoch: string };

/** What happens to messages of a subscription when its client reads too slowly (BP1). */
export const SLOW_CONSUMER_POLICIES = ["close", "drop-oldest", "latest", "catch-up"] as const;
export type SlowConsumerPolicy = (typeof SLOW_CONSUMER_POLICIES)[number];

/** The client stands at `offset` (absent for patterns); `skipped`: so many publications before it were left out (BP3). */
export type PositionPush = { channel: string; offset?: number; skipped?: number };

/** Who published: set by the gateway from the verified identity, never by the client. */
export type Sender = { user: string; connection: string };

/** A publication as it stands on the wire, in pushes, recoveries and history pages. */
export type WirePublication = {
  channel: string;
  offset: number;
  /** Unix milliseconds, by the gateway's clock. */
  at: number;
  event?: string;
  /** What it is the latest value of: what `latest` subscriptions conflate by (BP4). */
  key?: string;
  from?: Sender;
} & WirePayload;

/** One of the two: any JSON value, or bytes (CH2). Over MessagePack bytes are `data`, as they are (MP5). */
export type WirePayload = { data?: Json; base64?: string };

/** Who a connection belongs to, as others may see it. */
export type PublicUser = { id: string; name?: string; avatar?: string };

export type WelcomeBody = {
  protocol: number;
  connection: string;
  /** `id.secret`: to be kept by the client alone; opens this session again on a new socket (SE1). */
  session: string;
  resumed: boolean;
  /** What a resumed session is subscribed to; a `subscribe` push follows for each. */
  channels?: string[];
  /** Those of them that a backend has put it into. */
  granted?: string[];
  user: PublicUser & { email?: string; anonymous?: true };
  tenant: string;
  /** When the token ends, Unix milliseconds. */
  expiresAt?: number;
  pingIntervalMs: number;
  idleTimeoutMs: number;
  frameMaxBytes: number;
};

/** `recovered` tells whether all since the asked position is here (RC2); see SU3 for the others. */
export type SubscribeBody = {
  channel: string;
  recovered: boolean;
  offset?: number;
  epoch?: string;
  publications?: WirePublication[];
  /** In a push: a backend has put the session into the channel (SE9). */
  granted?: true;
};

export type PresenceUser = PublicUser & {
  status?: string;
  data?: Json;
  /** How many connections of this user are in the channel. */
  connections: number;
};

export type PresenceBody = {
  channel: string;
  /** Users, not connections. */
  count: number;
  connections: number;
  users: PresenceUser[];
  /** Where the next page starts; absent on the last page. */
  next?: string;
};

export type PresencePush =
  | { channel: string; event: "join" | "leave" | "update"; user: PresenceUser; count: number }
  /** So many users changed that whoever shows the list should read it anew (PR3). */
  | { channel: string; event: "many"; user?: undefined; count: number };

export type TypingPush = { channel: string; user: PublicUser; typing: boolean };

/** A message to a user or to one connection: live only, in no channel and no history (DM1). */
export type DirectPush = {
  direct: "user" | "connection";
  at: number;
  event?: string;
  from?: Sender;
} & WirePayload;

export type PublishBody = {
  channel: string;
  offset: number;
  epoch: string;
  /** True when the idempotency key was seen before: this is the first publish's answer. */
  duplicate?: true;
  /** True when a newer `version` is there already: nothing was published. */
  suppressed?: true;
};

export type SendBody = {
  /** Connections that were handed the message. */
  delivered: number;
  /** Nodes of a cluster that did not say: there it may have been delivered, or not. */
  missing?: number;
};

export type HistoryBody = {
  channel: string;
  publications: WirePublication[];
  /** The top of the stream. */
  offset: number;
  epoch: string;
  /** True when the page ended before the history did. */
  more: boolean;
};

export type ErrorBody = {
  code: ErrorCode;
  message: string;
  temporary: boolean;
  retryAfterMs?: number;
};
