// What senders say, over HTTP and by action: its fields, their bounds, and what becomes of it.
import type { Json } from "@aldis/protocol";
import { z } from "zod";
import { refusal } from "../plugins/index.ts";
import type { NotificationsConfig } from "./config.ts";

const USER_MAX = 255;
const KEY_MAX = 128;
const TYPE_MAX = 128;
const TITLE_MAX = 256;
const BODY_MAX = 4_096;
const ID_MAX = 64;
export const IDS_MAX = 500;

/** No database takes NUL and half a surrogate pair in a key. */
export function isUserName(text: string): boolean {
  return text.length > 0 && text.length <= USER_MAX && !text.includes("\0") && text.isWellFormed();
}

export const userName = z
  .string()
  .refine(isUserName, `a user id: 1 to ${USER_MAX} characters, without NUL and lone surrogates`)
  .meta({ description: "Id of a user", example: "ann" });

/** Ids are ours: letters, digits, `-` and `_`. Others name nothing, and are no error. */
export const notificationName = z.string().min(1).max(ID_MAX);

const key = z.string().min(1).max(KEY_MAX);

export const messageFields = {
  type: z.string().min(1).max(TYPE_MAX).optional(),
  title: z.string().min(1).max(TITLE_MAX).optional(),
  body: z.string().max(BODY_MAX).optional(),
  data: z.unknown().optional().meta({ description: "Any JSON value" }),
  priority: z.enum(["normal", "urgent"]).optional(),
  collapseKey: key.optional(),
  expiresInMs: z.int().min(1).optional(),
  idempotencyKey: key.optional(),
};

const messageSchema = z.object(messageFields);
export type MessageFields = z.output<typeof messageSchema>;

/** A notification as it is to be sent. */
export type Message = {
  readonly type: string | undefined;
  readonly title: string | undefined;
  readonly body: string | undefined;
  readonly data: Json | undefined;
  readonly urgent: boolean;
  readonly collapseKey: string | undefined;
  readonly expiresInMs: number | undefined;
  readonly idempotencyKey: string | undefined;
};

/** What its fields, each right by itself, say together. Throws `bad_request` and `too_large` (NT1, NT9, NT15). */
export function messageOf(
  fields: MessageFields,
  { maxBytes, expiryMaxMs }: Pick<NotificationsConfig, "maxBytes" | "expiryMaxMs">,
): Message {
  const { type, title, body, priority, collapseKey, expiresInMs, idempotencyKey } = fields;
  const data = fields.data as Json | undefined;
  if (type === undefined && title === undefined) {
    throw refusal("bad_request", "`title` or `type` must be given");
  }
  if (expiresInMs !== undefined && expiresInMs > expiryMaxMs) {
    throw refusal("bad_request", `\`expiresInMs\` must be at most ${expiryMaxMs}`);
  }
  if (sizeOf({ type, title, body, data }) > maxBytes) {
    throw refusal("too_large", `the notification is over its limit of ${maxBytes} bytes`);
  }
  return {
    type,
    title,
    body,
    data,
    urgent: priority === "urgent",
    collapseKey,
    expiresInMs,
    idempotencyKey,
  };
}

function sizeOf(said: object): number {
  try {
    return Buffer.byteLength(JSON.stringify(said));
  } catch {
    // Attack: nesting that the parser takes and the serialiser's stack does not.
    throw refusal("bad_request", "`data` is nested too deeply");
  }
}
