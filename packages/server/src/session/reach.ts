import type { ChannelName } from "@aldis/protocol";
import type { Awaitable } from "../awaitable.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Addressee, DirectMessage } from "./direct.ts";

/** To how many connections something was done, on all nodes that answered in time. */
export type Reached = {
  readonly connections: number;
  /** Nodes that did not say: it may have been done there, or not. */
  readonly missing: readonly string[];
};

/** Whose connections are meant. Those of another tenant are not there (P2). */
export type Whom = { readonly tenant: TenantId; readonly to: Addressee };

/** Does things to connections wherever in the cluster they are. In the turn of the call when this node is alone. */
export type Reach = {
  /** DM1. Messages of this node to one connection come in the order in which they were sent. */
  send(message: DirectMessage): Awaitable<Reached>;
  /** Whose connection it is, wherever it is; undefined: nobody's, or its node does not say. */
  ownerOf(tenant: TenantId, connection: string): Awaitable<string | undefined>;
  /** As {@link subscribeFor}. */
  subscribe(whom: Whom, channel: ChannelName): Awaitable<Reached>;
  /** As {@link unsubscribeFor}. */
  unsubscribe(whom: Whom, channel: ChannelName): Awaitable<Reached>;
  disconnect(whom: Whom, how: DisconnectHow): Awaitable<Reached>;
  /** AU9: asks for a new token, in so many milliseconds; undefined: in as many as before the end of one. */
  refresh(whom: Whom, withinMs: number | undefined): Awaitable<Reached>;
};

/** How long a client may be given for a new token. */
export const REFRESH_MIN_MS = 1_000;
export const REFRESH_MAX_MS = 3_600_000;

export type DisconnectHow = {
  /** Told with the close code. */
  readonly reason: string | undefined;
  /** Clients are to come back (4011) or not (4502). */
  readonly reconnect: boolean;
};
