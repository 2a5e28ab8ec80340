// The entry `@aldis/client/chat`.
import type { ChatMembersBody, ChatRole, Json, ChatRoom as WireRoom } from "@aldis/protocol";
import type { Client } from "./api.ts";
import type { MyRooms } from "./chat/my-rooms.ts";
import { MyRoomsState } from "./chat/my-rooms.ts";
import { createRoomHandle } from "./chat/room-handle.ts";
import { type ChatRoomOptions, RoomState } from "./chat/room-state.ts";
import type { ChatRoom } from "./chat/room-types.ts";
import type { FeatureTools } from "./feature.ts";

export type {
  ChatAccess,
  ChatHistoryBody,
  ChatMember,
  ChatMessage,
  ChatMyRoom,
  ChatReaction,
  ChatReceipt,
  ChatRole,
  ChatRoom as ChatRoomBody,
  ChatSearchBody,
  ChatSentBody,
} from "@aldis/protocol";
export type { MyRooms, MyRoomsView } from "./chat/my-rooms.ts";
export type { ChatDraft, Outgoing } from "./chat/outgoing.ts";
export type { ChatRoomOptions } from "./chat/room-state.ts";
export type { ChatItem, ChatRoom, ChatRoomView } from "./chat/room-types.ts";

export type NewRoom = {
  readonly room?: string | undefined;
  readonly access?: "public" | "private" | undefined;
  readonly title?: string | undefined;
  readonly data?: Json | undefined;
  readonly members?: readonly { readonly user: string; readonly role?: ChatRole }[] | undefined;
};

/** `client.chat`: called with a room it opens that; the rest is about rooms as a whole. */
export type Chat = {
  /** Opens a room: `lobby` is `chat:lobby`. Options of the first call hold for all. */
  (room: string, options?: ChatRoomOptions): ChatRoom;
  /** The user's rooms with unread counts, live. */
  rooms(): MyRooms;
  create(room: NewRoom): Promise<WireRoom>;
  join(room: string): Promise<WireRoom>;
  leave(room: string): Promise<void>;
  /** `null` clears. */
  update(
    room: string,
    change: { readonly title?: string | null; readonly data?: Json; readonly version?: number },
  ): Promise<WireRoom>;
  remove(room: string): Promise<void>;
  members(
    room: string,
    page?: { readonly limit?: number; readonly cursor?: string | undefined },
  ): Promise<ChatMembersBody>;
  /** Invites, or gives a role. */
  setMember(room: string, user: string, role?: ChatRole): Promise<void>;
  removeMember(room: string, user: string): Promise<void>;
};

/**
 * Rooms that remember what was said (docs/protocol.md, section Chat). Give it to `createClient({ use: { chat } })`, and `client.chat("lobby")` is a room.
 * Needs a gateway with a store.
 */
export function chat(client: Client, tools: FeatureTools): Chat {
  const rooms = new Map<string, { readonly state: RoomState; holders: number }>();
  const ask = <T>(action: string, data: object) => client.request(action, data) as Promise<T>;

  function open(room: string, options: ChatRoomOptions = {}): ChatRoom {
    const name = room.includes(":") ? room : `chat:${room}`;
    const former = rooms.get(name);
    const shared =
      former === undefined || former.state.isEnded
        ? { state: new RoomState(name, client, { tools, options }), holders: 0 }
        : former;
    rooms.set(name, shared);
    shared.holders++;
    return createRoomHandle(shared.state, tools, () => {
      if (--shared.holders > 0) return;
      const isWanted = () => shared.holders > 0;
      shared.state.release(isWanted, () => {
        if (rooms.get(name) === shared) rooms.delete(name);
      });
    });
  }

  return Object.assign(open, {
    rooms: () => new MyRoomsState(client, tools),
    create: (room: NewRoom) => ask<WireRoom>("chat_create_room", room),
    join: (room: string) => ask<WireRoom>("chat_join", { room }),
    leave: (room: string) => ask<void>("chat_leave", { room }),
    update: (room: string, change: object) =>
      ask<WireRoom>("chat_update_room", { room, ...change }),
    remove: (room: string) => ask<void>("chat_delete_room", { room }),
    members: (room: string, page: object = {}) =>
      ask<ChatMembersBody>("chat_members", { room, ...page }),
    setMember: (room: string, user: string, role?: ChatRole) =>
      ask<void>("chat_set_member", { room, user, role }),
    removeMember: (room: string, user: string) => ask<void>("chat_remove_member", { room, user }),
  });
}
