// The fields of actions and of routes. What has a bound in the protocol has it here.
import type { Json } from "@aldis/protocol";
import { z } from "zod";

const TITLE_MAX = 256;
const EMOJI_MAX = 64;
const SEARCH_MAX = 100;
/** Of what is sent, in UTF-16 units. */
export const LIMITS = { room: 255, key: 128, text: 1_048_576 } as const;
const USER_MAX = 255;
const CURSOR_MAX = 512;
const FIRST_MEMBERS_MAX = 100;
const PAGE_NORMAL = 50;

/** No rule on its grammar: what cannot be a room is answered as one that is not there (CT3). */
export const room = z.string().min(1).max(LIMITS.room).meta({
  description: "A room: its channel, or a name of the namespace `chat`.",
  example: "chat:lobby",
});
export const user = z.string().min(1).max(USER_MAX).meta({ example: "ann" });
export const seq = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).meta({
  description: "A message, by its number within the room.",
  example: 1,
});
const mark = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const version = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
/** Any JSON value, `null` among them, but not `undefined`. */
const json = z.unknown() as z.ZodType<Json>;
const text = z.string().min(1).max(LIMITS.text);
const limit = (max: number, normal: number) =>
  z
    .number()
    .int()
    .min(1)
    .max(max)
    .optional()
    .transform((asked) => asked ?? normal);

/** Whether it is text that every database takes as it is, for what is looked for by it. */
export function isPlain(value: unknown, max: number): value is string {
  if (typeof value !== "string" || value.length === 0 || value.length > max) return false;
  return value.isWellFormed() && !CONTROL.test(value);
}
const CONTROL = /\p{Cc}/u;
const plain = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => isPlain(value, max), {
      message: "has no control characters and no halves of surrogate pairs",
    });
const plainKey = plain(LIMITS.key);
const cursor = plain(CURSOR_MAX);

const content = { text: text.optional(), data: json.optional() };

export const roomOnly = z.object({ room });
export const sending = z.object({
  room,
  ...content,
  replyTo: seq.optional(),
  idempotencyKey: plainKey.optional(),
});
export const editing = z.object({ room, seq, ...content, version: version.optional() });
export const deleting = z.object({ room, seq });
export const reacting = z.object({
  room,
  seq,
  emoji: z.string().min(1).max(EMOJI_MAX),
  on: z
    .boolean()
    .optional()
    .transform((on) => on ?? true),
});
export const marking = z.object({ room, read: mark.optional(), delivered: mark.optional() });

export const role = z.enum(["owner", "admin", "member"]);
const title = z.string().min(1).max(TITLE_MAX);
const memberGiven = z.object({
  user,
  role: role.optional().transform((given) => given ?? ("member" as const)),
});
export const creating = z.object({
  room: room.optional(),
  access: z.enum(["public", "private"]).optional(),
  title: title.optional(),
  data: json.optional(),
  members: z
    .array(memberGiven)
    .max(FIRST_MEMBERS_MAX)
    .optional()
    .transform((members) => members ?? []),
});
const changes = {
  title: title.nullable().optional(),
  data: json.optional(),
  version: version.optional(),
};
export const changing = z.object({ room, ...changes });
export const changeOnly = z.object(changes);
export const giving = z.object({
  room,
  user,
  role: role.optional().transform((given) => given ?? ("member" as const)),
});
export const naming = z.object({ room, user });

const before = mark.optional();
export const asking = z.object({
  room,
  before,
  after: mark.optional(),
  around: mark.optional(),
  thread: seq.optional(),
  limit: limit(200, PAGE_NORMAL),
});
export const searching = z.object({
  room,
  q: z.string().min(1).max(SEARCH_MAX),
  before,
  limit: limit(100, 20),
});
export const listing = z.object({ cursor: cursor.optional(), limit: limit(50, 20) });
export const roomListing = z.object({
  room,
  cursor: cursor.optional(),
  limit: limit(500, PAGE_NORMAL),
});

/** A number in a query: digits and nothing else, so that `1e3`, ` 7` and `0x10` are no numbers. */
function digits(range: { readonly min: number; readonly max: number }) {
  return z
    .string()
    .regex(/^\d{1,16}$/, `must be a whole number from ${range.min} to ${range.max}`)
    .transform(Number)
    .pipe(z.number().int().min(range.min).max(range.max))
    .meta({ type: "integer", minimum: range.min, maximum: range.max });
}

const queryLimit = (max: number, normal: number) =>
  digits({ min: 1, max })
    .optional()
    .transform((asked) => asked ?? normal);
const queryMark = digits({ min: 0, max: Number.MAX_SAFE_INTEGER }).optional();
const actingUser = user
  .optional()
  .meta({ description: "For backends: whom they act as. Users act for themselves." });

/** Whom a backend acts as stands beside the fields. */
export const acting = { user: actingUser };
export const queries = {
  history: z.strictObject({
    room,
    before: queryMark,
    after: queryMark,
    around: queryMark,
    thread: digits({ min: 1, max: Number.MAX_SAFE_INTEGER }).optional(),
    limit: queryLimit(200, PAGE_NORMAL),
    ...acting,
  }),
  search: z.strictObject({
    room,
    q: searching.shape.q,
    before: queryMark,
    limit: queryLimit(100, 20),
    ...acting,
  }),
  rooms: z.strictObject({ cursor: cursor.optional(), limit: queryLimit(50, 20), ...acting }),
  page: z.strictObject({
    cursor: cursor.optional(),
    limit: queryLimit(500, PAGE_NORMAL),
    ...acting,
  }),
  roomPage: z.strictObject({
    room,
    cursor: cursor.optional(),
    limit: queryLimit(500, PAGE_NORMAL),
    ...acting,
  }),
  acting: z.strictObject(acting),
};
