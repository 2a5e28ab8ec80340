import type { ChannelName } from "./channel.ts";
import { ERRORS } from "./errors.ts";
import { Base64, type Payload } from "./payload.ts";
import type { Refusal } from "./result.ts";
import type { CommandId, ErrorBody, Sender } from "./types.ts";

/**
 * Frames as JSON text. Hot: a publication is put together once, by concatenation, from text that
 * `JSON.stringify` made; all subscribers, the history and every recovery share that string.
 */

/** What becomes the wire form of a publication; `payloadJson` is text that {@link payloadJson} made. */
export type PublicationParts = {
  readonly channel: ChannelName;
  readonly offset: number;
  readonly at: number;
  readonly event: string | undefined;
  readonly key: string | undefined;
  readonly from: Sender | undefined;
  readonly payloadJson: string;
};

/** The member of a JSON object that carries `payload`: `"data":…`, or `"base64":"…"` for bytes (CH2). */
export function payloadJson(payload: Payload): string {
  if (payload instanceof Base64) return `"base64":"${payload.text}"`;
  return `"data":${JSON.stringify(payload)}`;
}

/** JSON of a `WirePublication`. Channel names need no escaping: their grammar has no quote or backslash. */
export function publicationJson(parts: PublicationParts): string {
  return `{"channel":"${parts.channel}","offset":${parts.offset},"at":${parts.at}${afterTime(parts)}`;
}

/**
 * The same in two pieces, for who learns offset and time elsewhere: `before`, the offset, `,"at":`, the time and `after`, one behind the
 * other, are what {@link publicationJson} gives.
 */
export function publicationJsonAround(parts: Omit<PublicationParts, "offset" | "at">): {
  readonly before: string;
  readonly after: string;
} {
  return { before: `{"channel":"${parts.channel}","offset":`, after: afterTime(parts) };
}

function afterTime(parts: Omit<PublicationParts, "offset" | "at">): string {
  const event = parts.event === undefined ? "" : `,"event":${JSON.stringify(parts.event)}`;
  const key = parts.key === undefined ? "" : `,"key":${JSON.stringify(parts.key)}`;
  const from = parts.from === undefined ? "" : `,"from":${senderJson(parts.from)}`;
  return `${event}${key}${from},${parts.payloadJson}}`;
}

function senderJson(from: Sender): string {
  return `{"user":${JSON.stringify(from.user)},"connection":"${from.connection}"}`;
}

/** A push, whose body is JSON text already. */
export function pushFrameOf(action: string, bodyJson: string): string {
  return `{"action":"${action}","data":${bodyJson}}`;
}

export function pushFrame(action: string, body: object): string {
  return pushFrameOf(action, JSON.stringify(body));
}

/** A reply carries the id of its command; `bodyJson` is JSON text already. */
export function replyFrameOf(action: string, id: CommandId, bodyJson: string): string {
  return `{"action":${JSON.stringify(action)},"id":${JSON.stringify(id)},"data":${bodyJson}}`;
}

export function replyFrame(action: string, id: CommandId, body: object): string {
  return replyFrameOf(action, id, JSON.stringify(body));
}

/** An error answers a command by its id, or stands alone when the command had none or no readable one. */
export function errorFrame(id: CommandId | undefined, refusal: Refusal): string {
  const body = JSON.stringify(errorBody(refusal));
  return id === undefined ? pushFrameOf("error", body) : replyFrameOf("error", id, body);
}

export function errorBody(refusal: Refusal): ErrorBody {
  const { error: code, message, retryAfterMs } = refusal;
  const body: ErrorBody = { code, message, temporary: ERRORS[code].temporary };
  if (retryAfterMs !== undefined) body.retryAfterMs = retryAfterMs;
  return body;
}
