// What may be done to a connection, here and as it is asked of another node.
import {
  type ChannelName,
  FIELD_LIMITS,
  type Fields,
  optionalInteger,
  optionalString,
  requiredBoolean,
  requiredString,
} from "@aldis/protocol";
import { channelIn, optionalUserIn, tenantIn } from "../cluster/bus-fields.ts";
import { subscribeFor, unsubscribeFor } from "../session/control.ts";
import { type DisconnectHow, REFRESH_MAX_MS, REFRESH_MIN_MS, type Whom } from "../session/reach.ts";
import type { Session } from "../session/session.ts";
import type { SessionStore } from "../session/session-store.ts";
import { askedWithinMs, askForToken } from "../session/token-deadlines.ts";
import type { TenantId } from "../tenant/tenant.ts";

/** One thing that is done to every connection that is meant. */
export type Deed<A> = {
  /** What its message is called; one whose meaning changes gets another name. */
  readonly kind: string;
  /** Returns whether it was done. */
  act(session: Session, args: A): boolean;
  /** The same for a user's sessions that have no connection at the moment, where it is to outlive that. */
  actOnParked?(parked: ParkedSessions, whose: { tenant: TenantId; userId: string }, args: A): void;
  /** Of a message of another node. Throws a `FieldError`. */
  read(fields: Fields): A;
};

export type ParkedSessions = Pick<SessionStore, "withdraw" | "requireToken">;

/** A push that is made once, where it comes from. */
export type SendArgs = { readonly frame: string; readonly urgent: boolean };

const FRAME_MAX_LENGTH = 4 * 1024 * 1024;

export const SEND: Deed<SendArgs> = {
  kind: "send",
  act({ connection }, { frame, urgent }) {
    if (urgent) connection.sendUrgent(frame);
    else connection.send(frame);
    return true;
  },
  read: (fields) => ({
    frame: requiredString(fields, "frame", FRAME_MAX_LENGTH),
    urgent: requiredBoolean(fields, "urgent"),
  }),
};

export type ChannelArgs = { readonly channel: ChannelName };

function readChannel(fields: Fields): ChannelArgs {
  return { channel: channelIn(fields) };
}

export const SUBSCRIBE: Deed<ChannelArgs> = {
  kind: "subscribe",
  act: (session, { channel }) => subscribeFor(session, channel),
  read: readChannel,
};

export const UNSUBSCRIBE: Deed<ChannelArgs> = {
  kind: "unsubscribe",
  act: (session, { channel }) => unsubscribeFor(session, channel),
  actOnParked: (parked, whose, { channel }) => void parked.withdraw({ ...whose, channel }),
  read: readChannel,
};

/** RFC 6455 §5.5: a close frame has room for so much. */
const REASON_MAX_BYTES = 123;

export const DISCONNECT: Deed<DisconnectHow> = {
  kind: "disconnect",
  act({ connection }, { reason, reconnect }) {
    connection.close(reconnect ? "reconnectAsked" : "disconnected", reason);
    return true;
  },
  read(fields) {
    const reason = optionalString(fields, "reason", REASON_MAX_BYTES);
    const fits = reason === undefined || Buffer.byteLength(reason) <= REASON_MAX_BYTES;
    return {
      reason: fits ? reason : undefined,
      reconnect: requiredBoolean(fields, "reconnect"),
    };
  },
};

export type RefreshArgs = { readonly withinMs: number | undefined };

export const REFRESH: Deed<RefreshArgs> = {
  kind: "refresh",
  act: (session, { withinMs }) => askForToken(session, withinMs ?? askedWithinMs(session)),
  actOnParked: (parked, whose) => void parked.requireToken(whose),
  read: (fields) => ({
    withinMs: optionalInteger(fields, "withinMs", { min: REFRESH_MIN_MS, max: REFRESH_MAX_MS }),
  }),
};

/** What stands on the bus. */
export function writeWhom({ tenant, to }: Whom): Fields {
  return { tenant, ...to };
}

export function readWhom(fields: Fields): Whom {
  const tenant = tenantIn(fields);
  const user = optionalUserIn(fields);
  if (user !== undefined) return { tenant, to: { user } };
  const connection = requiredString(fields, "connection", FIELD_LIMITS.connection);
  return { tenant, to: { connection } };
}
