import type { z } from "zod";
import { action, type PluginAction, type PluginSession } from "../plugins/index.ts";
import { type Actor, sessionActor } from "./actor.ts";
import { edit, react, remove } from "./change.ts";
import type { ChatConfig } from "./config.ts";
import { deleteRoom } from "./delete-room.ts";
import type { ChatDeps } from "./deps.ts";
import * as inputs from "./inputs.ts";
import { mark, receipts } from "./marks.ts";
import { join, leave, members, removeMember, setMember } from "./membership.ts";
import { ownRooms } from "./own-rooms.ts";
import { history, search } from "./pages.ts";
import { readSending } from "./read-sending.ts";
import { parseRoomName } from "./room-name.ts";
import { createRoom, readRoom, updateRoom } from "./rooms.ts";
import { send } from "./send.ts";

type Act = PluginAction<ChatConfig>;

/** The commands of clients, see docs/protocol.md, section Chat. */
export function createActions(deps: ChatDeps): Readonly<Record<string, Act>> {
  const { admit } = deps;
  function of<I>(input: z.ZodType<I>, run: (actor: Actor, input: I) => Promise<object>): Act {
    return action({
      input,
      run: ({ session, input: asked }) => admit(() => run(sessionActor(session), asked)),
    });
  }

  return {
    // What one session sends to one room keeps its order, whatever has to be asked first (CT14).
    chat: action({
      input: readSending,
      run: ({ session, input }) =>
        admit(() =>
          deps.turns.run(turnOf(deps, session, input.room), () =>
            send(deps, sessionActor(session), input),
          ),
        ),
    }),
    chat_edit: of(inputs.editing, (actor, asked) => edit(deps, actor, asked)),
    chat_delete: of(inputs.deleting, (actor, asked) => remove(deps, actor, asked)),
    chat_react: of(inputs.reacting, (actor, asked) => react(deps, actor, asked)),
    chat_history: of(inputs.asking, (actor, asked) => history(deps, actor, asked)),
    chat_search: of(inputs.searching, (actor, asked) => search(deps, actor, asked)),
    chat_read: of(inputs.marking, (actor, asked) => mark(deps, actor, asked)),
    chat_receipts: of(inputs.roomListing, (actor, asked) => receipts(deps, actor, asked)),
    chat_rooms: of(inputs.listing, (actor, asked) => ownRooms(deps, actor, asked)),
    chat_room: of(inputs.roomOnly, (actor, { room }) => readRoom(deps, actor, room)),
    chat_create_room: of(inputs.creating, (actor, asked) => createRoom(deps, actor, asked)),
    chat_update_room: of(inputs.changing, (actor, asked) => updateRoom(deps, actor, asked)),
    chat_delete_room: of(inputs.roomOnly, (actor, { room }) => deleteRoom(deps, actor, room)),
    chat_join: of(inputs.roomOnly, (actor, { room }) => join(deps, actor, room)),
    chat_leave: of(inputs.roomOnly, (actor, { room }) => leave(deps, actor, room)),
    chat_members: of(inputs.roomListing, (actor, asked) => members(deps, actor, asked)),
    chat_set_member: of(inputs.giving, (actor, asked) => setMember(deps, actor, asked)),
    chat_remove_member: of(inputs.naming, (actor, asked) => removeMember(deps, actor, asked)),
  };
}

/** One room is one turn, whichever of its names stands in a command. */
function turnOf({ context }: ChatDeps, session: PluginSession, room: string): string {
  return `${session.id}\0${parseRoomName(room, context.config)?.channel ?? room}`;
}
