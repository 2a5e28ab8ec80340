import { z } from "zod";
import * as answers from "./answers.ts";
import { edit, react, remove } from "./change.ts";
import type { ChatDeps } from "./deps.ts";
import * as inputs from "./inputs.ts";
import { mark, receipts } from "./marks.ts";
import { history, search } from "./pages.ts";
import type { ChatRoute, MakeRoute } from "./routes.ts";
import { send } from "./send.ts";

const { acting, queries } = inputs;
const room = "chat:lobby";

export function messageRoutes(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  return [...saying(deps, make), ...changing(deps, make), ...reading(deps, make)];
}

function saying(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  const name = z.string().min(1).max(255).optional().meta({ description: "The user's, as shown." });
  return [
    make(
      {
        method: "post",
        path: "/api/chat/send",
        sends: "message",
        summary: "Say something in a room",
        description:
          "The answer means that the store has committed it (CT14). With an `idempotencyKey` it is safe to repeat.",
        body: inputs.sending.extend({ ...acting, name }),
        answer: answers.sent,
        refusals: ["not_found", "quota_exceeded", "unavailable"],
        example: { body: { room, user: "ann", text: "hello", idempotencyKey: "order-17" } },
      },
      (actor, { body }) => send(deps, actor, body),
    ),
    make(
      {
        method: "post",
        path: "/api/chat/messages/mark-read",
        summary: "Say how far a user has read",
        description: "Marks only go forward (CT19).",
        body: inputs.marking.extend(acting),
        answer: answers.marks,
        refusals: ["limit_reached", "unavailable"],
        example: { body: { room, user: "ann", read: 1 } },
      },
      (actor, { body }) => mark(deps, actor, body),
    ),
  ];
}

function changing(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  return [
    make(
      {
        method: "post",
        path: "/api/chat/messages/edit",
        sends: "message",
        summary: "Say something else instead",
        description: "The message as a whole: what is left out is gone (CT16).",
        body: inputs.editing.extend(acting),
        answer: answers.edited,
        refusals: ["not_found", "conflict", "unavailable"],
        example: { body: { room, user: "ann", seq: 1, text: "hello, all" } },
      },
      (actor, { body }) => edit(deps, actor, body),
    ),
    make(
      {
        method: "post",
        path: "/api/chat/messages/react",
        sends: "message",
        summary: "React to a message, or take a reaction back",
        description: "Repeating it changes nothing (CT17).",
        body: inputs.reacting.extend(acting),
        answer: answers.reacted,
        refusals: ["not_found", "conflict", "limit_reached", "unavailable"],
        example: { body: { room, user: "ann", seq: 1, emoji: "👍" } },
      },
      (actor, { body }) => react(deps, actor, body),
    ),
    make(
      {
        method: "post",
        path: "/api/chat/messages/delete",
        summary: "Delete a message",
        description: "Its place stays, what was said goes (CT16).",
        body: inputs.deleting.extend(acting),
        answer: answers.deleted,
        refusals: ["not_found", "unavailable"],
        example: { body: { room, seq: 1 } },
      },
      (actor, { body }) => remove(deps, actor, body),
    ),
  ];
}

function reading(deps: ChatDeps, make: MakeRoute): readonly ChatRoute[] {
  return [
    make(
      {
        method: "get",
        path: "/api/chat/history",
        summary: "What was said in a room",
        description:
          "A page in order: the latest, those before or after a `seq`, or around one; with `thread` only the replies to one (CT15). `user` decides what is their `own`.",
        query: queries.history,
        answer: answers.page,
        refusals: ["unavailable"],
        example: { query: { room, limit: "20" } },
      },
      (actor, { query }) => history(deps, actor, query),
    ),
    make(
      {
        method: "get",
        path: "/api/chat/search",
        summary: "Search in a room",
        description: "Newest first; a page may be empty and still have a `next` (CT18).",
        query: queries.search,
        answer: answers.found,
        refusals: ["unavailable"],
        example: { query: { room, q: "hello" } },
      },
      (actor, { query }) => search(deps, actor, query),
    ),
    make(
      {
        method: "get",
        path: "/api/chat/receipts",
        summary: "How far everybody has read",
        description: "By user id (CT22).",
        query: queries.roomPage,
        answer: answers.receipts,
        refusals: ["unavailable"],
        example: { query: { room } },
      },
      (actor, { query }) => receipts(deps, actor, query),
    ),
  ];
}
