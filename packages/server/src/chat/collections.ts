// The records of chat. No write spans two of them: each step leaves something that repeating the command completes.
import type { ChannelName, ChatAccess, Json } from "@aldis/protocol";
import {
  createAll,
  defineCollection,
  integer,
  json,
  optional,
  type RecordOf,
  text,
  words,
} from "../plugins/index.ts";

const room = {
  /** Its channel. */
  room: text(),
  /** {@link ChatAccess}. Never changes: whoever is subscribed may be. */
  access: text(),
  /** {@link RoomState}. */
  state: text(),
  title: optional(json<string>()),
  data: optional(json()),
  /** Who the owners are is decided here, in one record: so the last one can be kept whatever happens at the same time. */
  owners: json<readonly string[]>(),
  createdAt: integer(),
  /** Empty: made by its first message, or by a backend. */
  createdBy: text(),
  version: integer(),
  /** The latest message, as known up to a second ago; lists of rooms go by it. */
  top: integer(),
  activeAt: integer(),
};

/** `deleting`: not there for anybody, what it held is being removed. `deleted`: it is gone, and its name may be given out as CT6 says. */
export type RoomState = "active" | "deleting" | "deleted";

export const chatRooms = defineCollection({ name: "chat_rooms", fields: room, key: ["room"] });
export type RoomRecord = RecordOf<typeof room>;

const member = {
  room: text(),
  user: text(),
  /** {@link StoredRole}; of an owner what is left when they are none any more. */
  role: text(),
  since: integer(),
  read: integer(),
  delivered: integer(),
};

/** `guest`: no member, but with a mark in a public room. */
export type StoredRole = "admin" | "member" | "guest";

export const chatMembers = defineCollection({
  name: "chat_members",
  fields: member,
  key: ["room", "user"],
  indexes: { by_user: { fields: ["user", "room"] } },
});
export type MemberRecord = RecordOf<typeof member>;

/** What is gone when a message is deleted, but for who said it. */
export type Body = {
  readonly name?: string;
  readonly avatar?: string;
  readonly text?: string;
  readonly data?: Json;
};

/** Each emoji with who reacted so, in the order in which they came. */
export type Reactions = readonly (readonly [emoji: string, users: readonly string[]])[];

const message = {
  room: text(),
  seq: integer(),
  /** Empty: a backend that names nobody. */
  sender: text(),
  repeat: optional(text()),
  body: json<Body>(),
  words: optional(words()),
  replyTo: optional(integer()),
  at: integer(),
  version: integer(),
  editedAt: optional(integer()),
  deletedAt: optional(integer()),
  reactions: optional(json<Reactions>()),
  revision: optional(integer()),
};

export const chatMessages = defineCollection({
  name: "chat_messages",
  fields: message,
  key: ["room", "seq"],
  counted: "seq",
  indexes: {
    repeats: { fields: ["room", "sender", "repeat"], unique: true },
    replies: { fields: ["room", "replyTo", "seq"] },
  },
});
export type MessageRecord = RecordOf<typeof message>;

/** Whose turn upkeep was, before it was a job. It is in databases, so it stays in the plan. */
const chatLeases = defineCollection({
  name: "chat_leases",
  fields: { name: text(), node: text(), until: integer() },
  key: ["name"],
});

export const chatPlan = createAll("chat", [chatRooms, chatMembers, chatMessages, chatLeases]);

export function accessOf(record: RoomRecord): ChatAccess {
  return record.access === "public" ? "public" : "private";
}

/** A room is written down under a name that was parsed. */
export function channelOf(record: Pick<RoomRecord, "room">): ChannelName {
  return record.room as ChannelName;
}
