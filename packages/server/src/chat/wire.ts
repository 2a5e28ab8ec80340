// What records look like to those who may see them.
import type { ChatMessage, ChatReaction, ChatRole, ChatRoom, PublicUser } from "@aldis/protocol";
import {
  accessOf,
  type MemberRecord,
  type MessageRecord,
  type Reactions,
  type RoomRecord,
} from "./collections.ts";

/** CT7. */
export function wireRoom(record: RoomRecord, role?: ChatRole): ChatRoom {
  const { room, title, data, createdAt, createdBy, activeAt, top, version } = record;
  return {
    room,
    access: accessOf(record),
    ...(title !== undefined && { title }),
    ...(data !== undefined && { data }),
    createdAt,
    ...(createdBy !== "" && { createdBy }),
    activeAt,
    top,
    version,
    ...(role !== undefined && { role }),
  };
}

/** CT13, as `reader` sees it; without one nothing is their own. */
export function wireMessage(record: MessageRecord, reader?: string): ChatMessage {
  const { room, seq, body, replyTo, at, version, editedAt, deletedAt, revision } = record;
  const from = senderOf(record);
  const message: ChatMessage = { room, seq, id: `${room}/${seq}`, at, version };
  if (from !== undefined) message.from = from;
  if (replyTo !== undefined) message.replyTo = replyTo;
  if (editedAt !== undefined) message.editedAt = editedAt;
  if (deletedAt !== undefined) {
    message.deletedAt = deletedAt;
    return message;
  }
  if (body.text !== undefined) message.text = body.text;
  if (body.data !== undefined) message.data = body.data;
  if (revision !== undefined) {
    message.revision = revision;
    message.reactions = wireReactions(record.reactions ?? [], reader);
  }
  return message;
}

function senderOf({ sender, body }: MessageRecord): PublicUser | undefined {
  if (sender === "") return undefined;
  const from: PublicUser = { id: sender };
  if (body.name !== undefined) from.name = body.name;
  if (body.avatar !== undefined) from.avatar = body.avatar;
  return from;
}

export function wireReactions(reactions: Reactions, reader?: string): ChatReaction[] {
  return reactions.map(([emoji, users]) =>
    reader !== undefined && users.includes(reader)
      ? { emoji, count: users.length, own: true }
      : { emoji, count: users.length },
  );
}

/** Undefined: no member. Owners are those of the room's record, whatever else is written. */
export function roleOf(
  room: RoomRecord,
  user: string,
  member: Pick<MemberRecord, "role"> | undefined,
): ChatRole | undefined {
  if (room.owners.includes(user)) return "owner";
  return member?.role === "admin" || member?.role === "member" ? member.role : undefined;
}
