import type { Json, PublicUser } from "./types.ts";

// Wire types of chat (docs/protocol.md, section Chat).

/** What a member of a room may do (CT5). */
export type ChatRole = "owner" | "admin" | "member";
/** Who may be in a room (CT2). */
export type ChatAccess = "public" | "private";

/** CT7. */
export type ChatRoom = {
  /** Its channel, which is its name: `chat:lobby`. */
  room: string;
  access: ChatAccess;
  title?: string;
  data?: Json;
  /** Unix milliseconds, as all times here. */
  createdAt: number;
  createdBy?: string;
  /** When something was said last, as known up to a second ago. */
  activeAt: number;
  /** `seq` of the latest message, as known up to a second ago; 0: there is none. */
  top: number;
  /** Counts the changes of the room. */
  version: number;
  /** The asker's. */
  role?: ChatRole;
};

export type ChatReaction = { emoji: string; count: number; own?: true };

/** CT13. */
export type ChatMessage = {
  room: string;
  /** Counts from 1 within the room, without gaps. */
  seq: number;
  id: string;
  from?: PublicUser;
  text?: string;
  data?: Json;
  /** `seq` of the message that it answers. */
  replyTo?: number;
  at: number;
  /** 1, and one more with each edit and the deletion. */
  version: number;
  editedAt?: number;
  /** It is a tombstone: what was said is gone. */
  deletedAt?: number;
  reactions?: ChatReaction[];
  /** Counts the changes of the reactions. */
  revision?: number;
};

/** What `chat` is answered with (CT14). */
export type ChatSentBody = {
  room: string;
  seq: number;
  id: string;
  at: number;
  /** The idempotency key was seen before: this is the first one's answer. */
  duplicate?: true;
};

/** CT15. */
export type ChatHistoryBody = {
  room: string;
  messages: ChatMessage[];
  top: number;
  older: boolean;
  newer: boolean;
};

/** CT16. */
export type ChatEditedBody = { room: string; seq: number; version: number; editedAt: number };
/** CT16. */
export type ChatDeletedBody = { room: string; seq: number; version: number; deletedAt: number };

/** CT17. */
export type ChatReactedBody = {
  room: string;
  seq: number;
  emoji: string;
  on: boolean;
  count: number;
  revision: number;
};

/** CT18. */
export type ChatSearchBody = { room: string; messages: ChatMessage[]; next?: number };

/** How far somebody is in a room: `seq` of the last one read, and of the last one that came. */
export type ChatReceipt = { user: string; read: number; delivered: number };

/** CT19; pushed as `chat_read` too (CT27). */
export type ChatMarksBody = { room: string; read: number; delivered: number; unread: number };

/** CT22. */
export type ChatReceiptsBody = { room: string; receipts: ChatReceipt[]; next?: string };
/** CT26. */
export type ChatReceiptsPush = { room: string; receipts: ChatReceipt[] };

/** One of the asker's rooms (CT21). */
export type ChatMyRoom = ChatRoom & {
  read: number;
  delivered: number;
  unread: number;
  last?: ChatMessage;
};

/** CT21. */
export type ChatRoomsBody = { rooms: ChatMyRoom[]; next?: string };

/** `GET /api/chat/unread`. */
export type ChatUnreadBody = { rooms: { room: string; unread: number }[]; next?: string };

export type ChatMember = { user: string; role: ChatRole; since: number };
/** CT12. */
export type ChatMembersBody = { room: string; members: ChatMember[]; next?: string };

/** Somebody's part in a room has changed; without `role` it is gone. Published as `chat.member` (CT23), pushed as `chat_member` (CT27). */
export type ChatMemberPush = { room: string; user: string; role?: ChatRole };

/** What is published in a room's channel, by event (CT23). */
export type ChatPublications = {
  "chat.message": { message: ChatMessage; idempotencyKey?: string };
  "chat.edited": { message: ChatMessage };
  "chat.deleted": { message: ChatMessage };
  "chat.reaction": {
    room: string;
    seq: number;
    user: string;
    emoji: string;
    on: boolean;
    revision: number;
    reactions: ChatReaction[];
  };
  "chat.room": { room: ChatRoom };
  "chat.room_deleted": { room: string };
  "chat.member": ChatMemberPush;
};
