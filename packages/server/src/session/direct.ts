import {
  Base64,
  type DirectPush,
  type Payload,
  pushFrame,
  type Refusal,
  refuse,
  type Sender,
} from "@aldis/protocol";
import type { TenantId } from "../tenant/tenant.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { Session } from "./session.ts";

export type Addressee = { readonly user: string } | { readonly connection: string };

/** A direct message whose right was asked already. */
export type DirectMessage = {
  readonly tenant: TenantId;
  readonly to: Addressee;
  readonly from: Sender | undefined;
  readonly event: string | undefined;
  readonly data: Payload;
  readonly urgent: boolean;
};

/**
 * Attack: what is short on its way in and long on its way out: `1e20` in JSON, or `false` in MessagePack, is several times as
 * long as text of ours, for each connection that is sent it. Bytes are counted as they are. Undefined: it is not.
 */
export function tooLargeToSend(data: Payload, maxBytes: number): Refusal | undefined {
  const bytes = data instanceof Base64 ? data.bytes : Buffer.byteLength(JSON.stringify(data));
  return bytes > maxBytes
    ? refuse("too_large", `the message has at most ${maxBytes} bytes`)
    : undefined;
}

/** The push that everyone gets whom the message is for (DM1), as it was sent at `atMs`. */
export function directFrame(message: DirectMessage, atMs: number): string {
  return pushFrame("message", pushOf(message, atMs));
}

/** Everyone here who is meant; another tenant's users and connections are not there (P2). */
export function sessionsOf(live: LiveSessions, tenant: TenantId, to: Addressee): Iterable<Session> {
  if ("user" in to) return live.byUser(tenant, to.user);
  const one = live.byConnection(tenant, to.connection);
  return one === undefined ? [] : [one];
}

function pushOf({ to, from, event, data }: DirectMessage, at: number): DirectPush {
  const push: DirectPush = { direct: "user" in to ? "user" : "connection", at };
  if (from !== undefined) push.from = from;
  if (event !== undefined) push.event = event;
  if (data instanceof Base64) push.base64 = data.text;
  else push.data = data;
  return push;
}
