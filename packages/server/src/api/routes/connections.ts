import { refuse } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { Cursors, Place } from "../cursors.ts";
import {
  answerForConnections,
  type ConnectionListDeps,
  type ConnectionPlace,
  findConnection,
  listConnections,
} from "../lists/connection-list.ts";
import { listingName, startOf } from "../paging.ts";
import { type Route, route } from "../route.ts";
import {
  channelName,
  channelOrPattern,
  connectionId,
  epoch,
  missingNodes,
  missingOf,
  nextCursor,
  offset,
  pageLimit,
  queryCursor,
  userId,
} from "../schemas.ts";

export type ConnectionRouteDeps = ConnectionListDeps & {
  readonly cursors: Cursors;
};

const TAG = "Connections";

const entry = {
  connection: connectionId,
  node: z.string().openapi({ description: "Where it is connected." }),
  user: userId,
  anonymous: z.literal(true).optional(),
  connectedAt: z.number().int().openapi({ description: "Unix milliseconds." }),
  address: z
    .string()
    .optional()
    .openapi({ description: "The peer's address, as its node sees it." }),
  waitingBytes: z.number().int().min(0).openapi({
    description: "What waits for the client to take it: more than 0 for long is a slow client.",
  }),
};
const connectionEntry = z
  .object({ ...entry, subscriptions: z.number().int().min(0) })
  .openapi("ConnectionEntry");

const subscriptionEntry = z
  .object({
    channel: channelOrPattern,
    offset: offset.optional(),
    epoch: epoch.optional(),
  })
  .openapi("SubscriptionEntry");

const oneConnection = z
  .object({ ...entry, subscriptions: z.array(subscriptionEntry) })
  .openapi("ConnectionWithSubscriptions");

export function connectionRoutes(deps: ConnectionRouteDeps): Route[] {
  answerForConnections(deps);
  return [list(deps), one(deps)];
}

const listQuery = z.strictObject({
  user: userId.optional(),
  channel: channelName.optional(),
  limit: pageLimit,
  cursor: queryCursor.optional(),
});

function list(deps: ConnectionRouteDeps): Route {
  const { cursors } = deps;
  return route(
    {
      method: "get",
      path: "/api/connections",
      access: "read",
      tag: TAG,
      summary: "List connections",
      description:
        "Connections to all nodes, node by node, on each the longest connected first; of one user, or in one channel, if asked. Go on with `next` until there is none; a page may be short of `limit`, even empty, before that.",
      query: listQuery,
      answer: z.object({
        connections: z.array(connectionEntry),
        next: nextCursor.optional(),
        missing: missingNodes,
      }),
      refusals: ["bad_channel"],
      example: { query: { user: "ann" } },
    },
    async ({ grant: { tenant }, query: { user, channel, limit, cursor } }) => {
      const listing = listingName("connections", tenant, user, channel);
      const start = startOf(cursors, listing, cursor);
      if (!start.ok) return start;
      const place = placeOf(start.value);
      const page = await listConnections(deps, { tenant, user, channel }, { place, limit });
      const { connections, last } = page;
      const next = last && cursors.write(listing, [last.node, last.ordinal]);
      const rest = { ...(next !== undefined && { next }), ...missingOf(page.missing) };
      return { ok: true, value: { connections, ...rest } };
    },
  );
}

function placeOf(place: Place | undefined): ConnectionPlace | undefined {
  if (typeof place !== "object") return undefined;
  const [node, ordinal] = place;
  return { node, ordinal };
}

function one(deps: ConnectionRouteDeps): Route {
  return route(
    {
      method: "get",
      path: "/api/connections/{connection}",
      access: "read",
      tag: TAG,
      summary: "Look at one connection",
      description: "The connection with all that it is subscribed to, and where it stands there.",
      params: z.object({ connection: connectionId }),
      answer: oneConnection,
      refusals: ["not_found", "unavailable"],
      example: { path: { connection: "Q1ZqLw9oX7Gk2c0d" } },
    },
    async ({ grant: { tenant }, params: { connection } }) => {
      const { found, missing } = await findConnection(deps, tenant, connection);
      if (found !== undefined) return { ok: true, value: found };
      if (missing.length === 0) return refuse("not_found", "no such connection");
      return refuse("unavailable", "a node that may have it does not answer");
    },
  );
}
