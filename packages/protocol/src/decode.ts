import type { ChannelName, ChannelPattern } from "./channel.ts";
import { isChannelPattern, parseChannelName, parseChannelPattern } from "./channel.ts";
import type { Command, PresenceCommand, SendCommand } from "./commands.ts";
import type { ErrorCode } from "./errors.ts";
import {
  FieldError,
  type Fields,
  field,
  isFields,
  optionalBoolean,
  optionalChoice,
  optionalInteger,
  optionalString,
  position,
  requiredJson,
  requiredString,
  wrong,
} from "./fields.ts";
import { NESTING_MAX, nestsTooDeeply } from "./nesting.ts";
import { payloadOf } from "./payload.ts";
import { accept, type Refusal, type Result, refuse } from "./result.ts";
import { type CommandId, SLOW_CONSUMER_POLICIES, type StreamPosition } from "./types.ts";

/** Bounds of the fields that no configuration changes (docs/protocol.md, section Limits). */
export const FIELD_LIMITS = {
  action: 64,
  id: 64,
  token: 16_384,
  session: 128,
  event: 128,
  key: 128,
  idempotencyKey: 128,
  user: 255,
  connection: 64,
  status: 64,
  cursor: 512,
  epoch: 64,
  pageMax: 500,
  pageDefault: 50,
  lastMax: 100,
  positionsMax: 512,
} as const;

/** A refused frame still tells its `id` and `action` where they could be read, so that the error finds its command. */
export type Undecodable = Refusal & { readonly id: CommandId | undefined };

export type Decoded = { readonly ok: true; readonly value: Command } | Undecodable;

/**
 * Text of one frame to a command. Never throws, whatever the bytes; the caller has checked the length.
 * Hot: one `JSON.parse` and no schema library per frame.
 */
export function decodeCommand(text: string): Decoded {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    // The parser's own message quotes the input; what is wrong with it is the sender's to find out.
    return undecodable("bad_frame", "the frame is not JSON");
  }
  const decoded = decodeFrame(frame);
  if (!decoded.ok && decoded.error === "bad_frame") return decoded;
  if (!nestsTooDeeply(text)) return decoded;
  const id = decoded.ok ? decoded.value.id : decoded.id;
  return { ...refuse("bad_request", `nested deeper than ${NESTING_MAX}`), id };
}

/** The same for a frame that a codec has parsed: values as `JSON.parse` makes them, and bytes as {@link Base64}. */
export function decodeFrame(frame: unknown): Decoded {
  if (!isFields(frame)) return undecodable("bad_frame", "the frame is not an object");
  const id = field(frame, "id");
  if (!isCommandId(id)) {
    return undecodable(
      "bad_frame",
      `\`id\` must be a number or a string of 1 to ${FIELD_LIMITS.id}`,
    );
  }
  const result = decodeEnvelope(frame, id ?? undefined);
  return result.ok ? result : { ...result, id: id ?? undefined };
}

/** What a frame without a readable id is answered with. */
export function undecodable(error: ErrorCode, message: string): Undecodable {
  return { ...refuse(error, message), id: undefined };
}

function isCommandId(id: unknown): id is CommandId | null | undefined {
  if (id === undefined || id === null) return true;
  // Beyond 2^53 the parsed number is another one than was sent, and no reply would find its command.
  if (typeof id === "number") {
    return Number.isFinite(id) && (Number.isSafeInteger(id) || !Number.isInteger(id));
  }
  return typeof id === "string" && id.length > 0 && id.length <= FIELD_LIMITS.id;
}

function decodeEnvelope(frame: Fields, id: CommandId | undefined): Result<Command> {
  const action = field(frame, "action");
  if (typeof action !== "string" || action.length === 0 || action.length > FIELD_LIMITS.action) {
    return refuse("bad_frame", `\`action\` must be a string of 1 to ${FIELD_LIMITS.action}`);
  }
  const data = field(frame, "data") ?? {};
  if (!isFields(data)) return refuse("bad_request", "`data` must be an object");
  try {
    return accept(decodeAction(action, id, data));
  } catch (error) {
    if (error instanceof FieldError) return error.refusal;
    throw error;
  }
}

function decodeAction(action: string, id: CommandId | undefined, data: Fields): Command {
  switch (action) {
    case "publish":
      return {
        action,
        id,
        channel: channelOf(data),
        event: optionalString(data, "event", FIELD_LIMITS.event),
        key: optionalString(data, "key", FIELD_LIMITS.key),
        data: payloadOf(data),
        idempotencyKey: optionalString(data, "idempotencyKey", FIELD_LIMITS.idempotencyKey),
        version: optionalInteger(data, "version", { min: 0, max: Number.MAX_SAFE_INTEGER }),
        echo: optionalBoolean(data, "echo") ?? true,
      };
    case "ping":
      return { action, id };
    case "subscribe":
      return { action, id, ...decodeSubscribe(data) };
    case "unsubscribe":
      return { action, id, channel: channelOrPatternOf(data) };
    case "history":
      return {
        action,
        id,
        channel: channelOf(data),
        limit: pageLimit(data, 1),
        before: optionalInteger(data, "before", { min: 1, max: Number.MAX_SAFE_INTEGER }),
        after: optionalInteger(data, "after", { min: 0, max: Number.MAX_SAFE_INTEGER }),
        epoch: optionalString(data, "epoch", FIELD_LIMITS.epoch),
      };
    case "presence":
      return { action, id, channel: channelOf(data), request: decodePresenceRequest(data) };
    case "send":
      return {
        action,
        id,
        to: decodeAddressee(data),
        urgent: optionalBoolean(data, "urgent") ?? false,
        event: optionalString(data, "event", FIELD_LIMITS.event),
        data: payloadOf(data),
      };
    case "connect":
      return {
        action,
        id,
        token: optionalString(data, "token", FIELD_LIMITS.token),
        session: optionalString(data, "session", FIELD_LIMITS.session),
        positions: decodePositions(data),
        batch: optionalBoolean(data, "batch") ?? false,
      };
    case "refresh":
      return { action, id, token: requiredString(data, "token", FIELD_LIMITS.token) };
    default:
      return { action: "extension", id, name: action, data };
  }
}

/** The `channel` of an action's data, for features that decode their own. Throws a {@link FieldError}. */
export function channelOf(data: Fields): ChannelName {
  const parsed = parseChannelName(field(data, "channel"));
  if (!parsed.ok) throw new FieldError(parsed);
  return parsed.value;
}

function channelOrPatternOf(data: Fields): ChannelName | ChannelPattern {
  const value = field(data, "channel");
  const parsed =
    typeof value === "string" && isChannelPattern(value)
      ? parseChannelPattern(value)
      : parseChannelName(value);
  if (!parsed.ok) throw new FieldError(parsed);
  return parsed.value;
}

function decodeSubscribe(data: Fields) {
  const channel = channelOrPatternOf(data);
  const since = field(data, "since");
  return {
    channel,
    pattern: isChannelPattern(channel),
    since: since === undefined || since === null ? undefined : position(since, "since"),
    last: optionalInteger(data, "last", { min: 0, max: FIELD_LIMITS.lastMax }),
    slow: optionalChoice(data, "slow", SLOW_CONSUMER_POLICIES),
  };
}

function decodePresenceRequest(data: Fields): PresenceCommand["request"] {
  const status = optionalString(data, "status", FIELD_LIMITS.status);
  const custom = field(data, "data");
  if (status !== undefined || custom !== undefined) {
    return {
      kind: "set",
      status,
      data: custom === undefined ? undefined : requiredJson(data, "data"),
    };
  }
  return {
    kind: "read",
    limit: pageLimit(data, 0),
    cursor: optionalString(data, "cursor", FIELD_LIMITS.cursor),
  };
}

function decodeAddressee(data: Fields): SendCommand["to"] {
  const user = optionalString(data, "user", FIELD_LIMITS.user);
  const connection = optionalString(data, "connection", FIELD_LIMITS.connection);
  if (user !== undefined && connection === undefined) return { user };
  if (connection !== undefined && user === undefined) return { connection };
  throw new FieldError(refuse("bad_request", "give either `user` or `connection`"));
}

function decodePositions(data: Fields): ReadonlyMap<string, StreamPosition> | undefined {
  const value = field(data, "positions");
  if (value === undefined || value === null) return undefined;
  if (!isFields(value)) throw wrong("positions", "an object from channel to {offset, epoch}");
  const names = Object.keys(value);
  if (names.length > FIELD_LIMITS.positionsMax) {
    throw wrong("positions", `an object of at most ${FIELD_LIMITS.positionsMax} channels`);
  }
  const positions = new Map<string, StreamPosition>();
  for (const name of names) positions.set(name, position(value[name], "positions.*"));
  return positions;
}

function pageLimit(data: Fields, min: number): number {
  return (
    optionalInteger(data, "limit", { min, max: FIELD_LIMITS.pageMax }) ?? FIELD_LIMITS.pageDefault
  );
}
