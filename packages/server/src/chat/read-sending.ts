// What a client says, read by hand: of all commands of chat this one is asked for with every message.
import { type Fields, field, type Json } from "@aldis/protocol";
import { isPlain, LIMITS } from "./inputs.ts";
import { badRequest } from "./refusals.ts";
import type { Saying } from "./send.ts";

/** Takes what {@link sending} takes, and throws a `FieldError` for all else. */
export function readSending(data: Fields): Saying {
  const [replyTo, idempotencyKey] = [field(data, "replyTo"), field(data, "idempotencyKey")];
  if (replyTo !== undefined && !isSeq(replyTo)) throw badRequest("`replyTo`: no message's number");
  if (idempotencyKey !== undefined && !isPlain(idempotencyKey, LIMITS.key)) {
    throw badRequest(`\`idempotencyKey\`: ${PLAIN} of 1 to ${LIMITS.key} characters`);
  }
  const room = textIn(data, "room", LIMITS.room);
  if (room === undefined) throw badRequest("`room`: missing");
  // What was read from JSON is JSON.
  const own = field(data, "data") as Json | undefined;
  return { room, text: textIn(data, "text", LIMITS.text), data: own, replyTo, idempotencyKey };
}

const PLAIN = "text without control characters and halves of surrogate pairs,";

function textIn(data: Fields, name: "room" | "text", max: number): string | undefined {
  const value = field(data, name);
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.length > 0 && value.length <= max) return value;
  throw badRequest(`\`${name}\`: text of 1 to ${max} characters`);
}

function isSeq(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
