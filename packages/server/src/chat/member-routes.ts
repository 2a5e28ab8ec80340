import { z } from "zod";
import * as answers from "./answers.ts";
import type { ChatDeps } from "./deps.ts";
import * as inputs from "./inputs.ts";
import { join, leave, members, removeMember, setMember } from "./membership.ts";
import type { ChatRoute, MakeRoute } from "./routes.ts";

const { acting, queries } = inputs;
const params = z.object({ room: inputs.room });
const member = z.object({ room: inputs.room, user: inputs.user });
const path = { room: "chat:lobby" };

export function memberRoutes(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  return [...own(deps, make), ...others(deps, make)];
}

function own(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  const example = { path, body: { user: "ann" } };
  return [
    make(
      {
        method: "post",
        path: "/api/chat/rooms/{room}/join",
        summary: "Join a public room",
        description: "Repeating it is no error (CT10).",
        params,
        body: z.object(acting),
        answer: answers.room,
        refusals: ["limit_reached", "unavailable"],
        example,
      },
      (actor, { params: { room } }) => join(deps, actor, room),
    ),
    make(
      {
        method: "post",
        path: "/api/chat/rooms/{room}/leave",
        summary: "Leave a room",
        description: "The last owner hands over first (CT10).",
        params,
        body: z.object(acting),
        answer: answers.roomOnly,
        refusals: ["conflict", "unavailable"],
        example,
      },
      (actor, { params: { room } }) => leave(deps, actor, room),
    ),
  ];
}

function others(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  const example = { path: { ...path, user: "ben" } };
  return [
    make(
      {
        method: "get",
        path: "/api/chat/rooms/{room}/members",
        summary: "Who is in a room",
        description: "By user id (CT12).",
        params,
        query: queries.page,
        answer: answers.members,
        refusals: ["unavailable"],
        example: { path },
      },
      (actor, { params: { room }, query }) => members(deps, actor, { ...query, room }),
    ),
    make(
      {
        method: "put",
        path: "/api/chat/rooms/{room}/members/{user}",
        summary: "Invite somebody, or give a role",
        description: "`member` unless said (CT11).",
        params: member,
        body: inputs.giving.pick({ role: true }),
        answer: answers.given,
        refusals: ["conflict", "limit_reached", "unavailable"],
        example: { ...example, body: { role: "admin" } },
      },
      (actor, { params: { room, user }, body: { role } }) =>
        setMember(deps, actor, { room, user, role }),
    ),
    make(
      {
        method: "delete",
        path: "/api/chat/rooms/{room}/members/{user}",
        summary: "Remove somebody",
        description: "Who is not there is no error (CT11).",
        params: member,
        answer: answers.removed,
        refusals: ["conflict", "unavailable"],
        example,
      },
      (actor, { params: place }) => removeMember(deps, actor, place),
    ),
  ];
}
