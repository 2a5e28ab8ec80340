import type { ChannelName, Json, PresenceBody } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Awaitable } from "../awaitable.ts";
import type { TenantId } from "../tenant/tenant.ts";

/** One connection of one user: who comes and goes. */
export type Attendant = {
  /** Of the session, which survives the connection. */
  readonly id: string;
  readonly identity: Identity;
  readonly connectionId: string;
};

/** What is to be changed of what others see; what is undefined stays as it is, and `data: null` clears. */
export type LooksChange = {
  readonly status: string | undefined;
  readonly data: Json | undefined;
};

/** Somebody's part in a channel has changed, over all nodes. */
export type OnPresenceChange = (change: {
  readonly tenant: TenantId;
  readonly channel: ChannelName;
  readonly event: "join" | "leave" | "update";
  readonly userId: string;
}) => void;

export type PageRequest = { readonly limit: number; readonly cursor: string | undefined };

/**
 * Who is in which channel: users, with their connections beneath (many tabs are one person). What this node's connections do is taken
 * in at once and never refused; what is asked may come from elsewhere, and rejects with `BrokerUnavailable` when that is away.
 */
export type Presence = {
  /** Whether the channel's namespace keeps presence. */
  isKept(tenant: TenantId, channel: ChannelName): boolean;
  /** Users present by connections to this node, each once for each channel. */
  readonly memberCount: number;
  /** A connection has subscribed. Others hear of it only when it is the user's first. */
  join(attendant: Attendant, channel: ChannelName): void;
  /** A connection has left. `stays`: it broke, and its place is kept for the grace time (PR4). */
  leave(attendant: Attendant, channel: ChannelName, how: { readonly stays: boolean }): void;
  /** Sets what others see of a user. Returns false when the connection is not present in the channel. */
  update(attendant: Attendant, channel: ChannelName, change: LooksChange): boolean;
  /** One page of who is there, with what was done here before it. */
  read(tenant: TenantId, channel: ChannelName, page: PageRequest): Awaitable<PresenceBody>;
  /** How many users are in each of some channels, in their order. */
  counts(tenant: TenantId, channels: readonly ChannelName[]): Awaitable<readonly number[]>;
  /** Nothing is told any more. In a cluster the users stay for those who move to other nodes. */
  close(): Awaitable<void>;
};
