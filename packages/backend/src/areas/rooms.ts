import type { Call } from "../calling/call.ts";
import { type ListOptions, listBy } from "../calling/listing.ts";
import type { Answer, Body } from "../operations.ts";
import { type CallOptions, split } from "../options.ts";

/** A room by itself. */
export type ChatRoom = Answer<"getChatRoomsRoom">;
/** A room in a list, with what its user has not read. */
export type Room = Answer<"getChatRooms">["rooms"][number];

/** On whose behalf; without, the backend acts for itself. */
type As = { readonly user?: string } & CallOptions;

export function createRooms(call: Call) {
  const list = listBy(call, "getChatRooms", (page) => page.rooms);
  const members = listBy(call, "getChatRoomsRoomMembers", (page) => page.members);
  return {
    rooms: {
      /** Without a `room` of its own it gets a name, and is then not made again when the answer is lost. */
      create: (room: Body<"postChatRooms"> = {}, options?: CallOptions) =>
        call("postChatRooms", { body: room, repeatable: false }, options),

      /** Those of one `user` perhaps, with what they have not read. */
      list: (options: ListOptions<"getChatRooms"> = {}) => list(options),

      get(room: string, given: As = {}) {
        const { fields: query, options } = split(given);
        return call("getChatRoomsRoom", { path: { room }, query }, options);
      },

      update: (room: string, body: Body<"putChatRoomsRoom">, options?: CallOptions) =>
        call("putChatRoomsRoom", { path: { room }, body }, options),

      /** With everything that was said in it. */
      remove(room: string, given: As = {}) {
        const { fields: query, options } = split(given);
        return call("deleteChatRoomsRoom", { path: { room }, query }, options);
      },

      join: (room: string, user: string, options?: CallOptions) =>
        call("postChatRoomsRoomJoin", { path: { room }, body: { user } }, options),

      leave: (room: string, user: string, options?: CallOptions) =>
        call("postChatRoomsRoomLeave", { path: { room }, body: { user } }, options),
    },

    members: {
      list: (room: string, options: ListOptions<"getChatRoomsRoomMembers"> = {}) =>
        members(options, { room }),

      /** Makes the user a member, or gives them another role. */
      set: (
        room: string,
        user: string,
        body: Body<"putChatRoomsRoomMembersUser"> = {},
        options?: CallOptions,
      ) => call("putChatRoomsRoomMembersUser", { path: { room, user }, body }, options),

      remove: (room: string, user: string, options?: CallOptions) =>
        call("deleteChatRoomsRoomMembersUser", { path: { room, user } }, options),
    },
  };
}
