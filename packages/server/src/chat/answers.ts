// What the routes answer, for the OpenAPI document; tests judge every answer by it.
import { z } from "zod";

const whole = z.number().int().min(0);
const name = z.string().meta({ description: "The room's channel.", example: "chat:lobby" });
const time = whole.meta({ description: "Unix milliseconds." });
const role = z.enum(["owner", "admin", "member"]);
const next = z
  .string()
  .optional()
  .meta({ description: "The `cursor` of the next page; absent on the last one." });

export const room = z.object({
  room: name,
  access: z.enum(["public", "private"]),
  title: z.string().optional(),
  data: z.unknown().optional(),
  createdAt: time,
  createdBy: z.string().optional(),
  activeAt: time,
  top: whole,
  version: whole,
  role: role.optional(),
});

const reaction = z.object({ emoji: z.string(), count: whole, own: z.literal(true).optional() });
export const message = z.object({
  room: name,
  seq: whole,
  id: z.string(),
  from: z
    .object({ id: z.string(), name: z.string().optional(), avatar: z.string().optional() })
    .optional(),
  text: z.string().optional(),
  data: z.unknown().optional(),
  replyTo: whole.optional(),
  at: time,
  version: whole,
  editedAt: time.optional(),
  deletedAt: time.optional(),
  reactions: z.array(reaction).optional(),
  revision: whole.optional(),
});

export const sent = z.object({
  room: name,
  seq: whole,
  id: z.string(),
  at: time,
  duplicate: z.literal(true).optional(),
});
export const page = z.object({
  room: name,
  messages: z.array(message),
  top: whole,
  older: z.boolean(),
  newer: z.boolean(),
});
export const found = z.object({
  room: name,
  messages: z.array(message),
  next: whole.optional().meta({ description: "The `before` to go on with; absent at the end." }),
});
export const edited = z.object({ room: name, seq: whole, version: whole, editedAt: time });
export const deleted = z.object({ room: name, seq: whole, version: whole, deletedAt: time });
export const reacted = z.object({
  room: name,
  seq: whole,
  emoji: z.string(),
  on: z.boolean(),
  count: whole,
  revision: whole,
});
export const marks = z.object({ room: name, read: whole, delivered: whole, unread: whole });
export const receipts = z.object({
  room: name,
  receipts: z.array(z.object({ user: z.string(), read: whole, delivered: whole })),
  next,
});
const listed = room.extend({
  read: whole.optional(),
  delivered: whole.optional(),
  unread: whole.optional(),
  last: message.optional(),
});
export const rooms = z.object({ rooms: z.array(listed), next });
export const unread = z.object({
  rooms: z.array(z.object({ room: name, unread: whole })),
  next,
});
export const members = z.object({
  room: name,
  members: z.array(z.object({ user: z.string(), role, since: time })),
  next,
});
export const given = z.object({ room: name, user: z.string(), role });
export const removed = z.object({ room: name, user: z.string() });
export const roomOnly = z.object({ room: name });
