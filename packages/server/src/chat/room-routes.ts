import { z } from "zod";
import * as answers from "./answers.ts";
import { deleteRoom } from "./delete-room.ts";
import type { ChatDeps } from "./deps.ts";
import * as inputs from "./inputs.ts";
import { allRooms, ownRooms, unread } from "./own-rooms.ts";
import { createRoom, readRoom, updateRoom } from "./rooms.ts";
import type { ChatRoute, MakeRoute } from "./routes.ts";

const { acting, queries } = inputs;
const params = z.object({ room: inputs.room });
const example = { path: { room: "chat:lobby" } };

export function roomRoutes(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  return [...lists(deps, make), ...single(deps, make)];
}

function lists(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  return [
    make(
      {
        method: "post",
        path: "/api/chat/rooms",
        summary: "Create a room",
        description:
          "`user` is its owner. Repeated by the same one it is answered as it stands (CT6).",
        body: inputs.creating.extend(acting),
        answer: answers.room,
        refusals: ["conflict", "limit_reached", "quota_exceeded", "unavailable"],
        example: {
          body: {
            room: "chat:lobby",
            access: "public",
            title: "Lobby",
            user: "ann",
            members: [{ user: "ben" }],
          },
        },
      },
      (actor, { body }) => createRoom(deps, actor, body),
    ),
    make(
      {
        method: "get",
        path: "/api/chat/rooms",
        summary: "A user's rooms, or all",
        description:
          "Of a `user`: by activity, with what is unread (CT21). A backend that names nobody lists all rooms by name; such a page may be short.",
        query: queries.rooms,
        answer: answers.rooms,
        refusals: ["unavailable"],
        example: { query: { user: "ann" } },
      },
      (actor, { query }) =>
        actor.userId === undefined ? allRooms(deps, actor, query) : ownRooms(deps, actor, query),
    ),
    make(
      {
        method: "get",
        path: "/api/chat/unread",
        summary: "What a user has not read",
        description:
          "Their rooms by activity, with the number of unread messages, 100 at most (CT20).",
        query: queries.rooms,
        answer: answers.unread,
        refusals: ["unavailable"],
        example: { query: { user: "ann" } },
      },
      (actor, { query }) => unread(deps, actor, query),
    ),
  ];
}

function single(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  return [
    make(
      {
        method: "get",
        path: "/api/chat/rooms/{room}",
        summary: "One room",
        description: "`role` is that of `user` (CT7).",
        params,
        query: queries.acting,
        answer: answers.room,
        refusals: ["unavailable"],
        example,
      },
      (actor, { params: { room } }) => readRoom(deps, actor, room),
    ),
    make(
      {
        method: "put",
        path: "/api/chat/rooms/{room}",
        summary: "Change a room",
        description: "What is left out stays, `null` clears (CT8).",
        params,
        body: inputs.changeOnly.extend(acting),
        answer: answers.room,
        refusals: ["conflict", "unavailable"],
        example: { ...example, body: { title: "The lobby" } },
      },
      (actor, { params: { room }, body }) => updateRoom(deps, actor, { ...body, room }),
    ),
    make(
      {
        method: "delete",
        path: "/api/chat/rooms/{room}",
        summary: "Delete a room",
        description:
          "Nobody sees it from the answer on; what it held goes in the background (CT9).",
        params,
        query: queries.acting,
        answer: answers.roomOnly,
        refusals: ["unavailable"],
        example,
      },
      (actor, { params: { room } }) => deleteRoom(deps, actor, room),
    ),
  ];
}
