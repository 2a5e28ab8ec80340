import { refuse } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { Hub } from "../../hub/hub.ts";
import type { LiveSessions } from "../../session/live-sessions.ts";
import type { Session } from "../../session/session.ts";
import { channelKey, type TenantId } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import type { Cursors } from "../cursors.ts";
import { listingName, SCAN_MAX, startOf, takePage } from "../paging.ts";
import { type Route, route } from "../route.ts";
import {
  channelName,
  channelOrPattern,
  connectionId,
  epoch,
  nextCursor,
  offset,
  pageLimit,
  queryCursor,
  userId,
} from "../schemas.ts";

export type ConnectionRouteDeps = {
  readonly live: LiveSessions;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly cursors: Cursors;
};

const TAG = "Connections";

const entry = {
  connection: connectionId,
  user: userId,
  anonymous: z.literal(true).optional(),
  connectedAt: z.number().int().openapi({ description: "Unix milliseconds." }),
  address: z
    .string()
    .optional()
    .openapi({ description: "The peer's address, as this node sees it." }),
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
        "Connections to this node, the longest connected first; of one user, or in one channel, if asked. Go on with `next` until there is none; a page may be short of `limit`, even empty, before that.",
      query: listQuery,
      answer: z.object({ connections: z.array(connectionEntry), next: nextCursor.optional() }),
      refusals: ["bad_channel"],
      example: { query: { user: "ann" } },
    },
    ({ grant: { tenant }, query: { user, channel, limit, cursor } }) => {
      const listing = listingName("connections", tenant, user, channel);
      const start = startOf(cursors, listing, cursor);
      if (!start.ok) return start;
      const after = Number(start.value ?? 0);
      const page = takePage(candidates(deps, { tenant, user, channel, after }), {
        limit,
        wants: (session) =>
          (user === undefined || session.identity.userId === user) &&
          (channel === undefined || session.isSubscribed(channel)),
        placeOf: ({ ordinal }) => ordinal,
      });
      const connections = page.values.map((session) => ({
        ...entryOf(deps, session),
        subscriptions: session.subscriptions.size,
      }));
      if (page.last === undefined) return { ok: true, value: { connections } };
      return { ok: true, value: { connections, next: cursors.write(listing, page.last) } };
    },
  );
}

type Filter = {
  readonly tenant: TenantId;
  readonly user: string | undefined;
  readonly channel: z.output<typeof channelName> | undefined;
  readonly after: number;
};

/** The fewest that may be wanted, in order: those of a user, those in a channel, or all of the tenant's from there on. */
function candidates(
  { live, hub }: ConnectionRouteDeps,
  { tenant, user, channel, after }: Filter,
): Iterable<Session> {
  if (user !== undefined && live.countOfUser(tenant, user) <= SCAN_MAX) {
    return inOrder(live.byUser(tenant, user), after);
  }
  if (channel !== undefined) {
    const here = hub.find(channelKey(tenant, channel))?.subscriptions ?? [];
    if (here.length <= SCAN_MAX) {
      const sessions = here.flatMap(
        ({ subscriber }) => live.byConnection(tenant, subscriber.connectionId) ?? [],
      );
      return inOrder(sessions, after);
    }
  }
  return live.ofTenantFrom(tenant, after + 1);
}

function inOrder(sessions: Iterable<Session>, after: number): Session[] {
  return [...sessions]
    .filter(({ ordinal }) => ordinal > after)
    .sort((a, b) => a.ordinal - b.ordinal);
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
      refusals: ["not_found"],
      example: { path: { connection: "Q1ZqLw9oX7Gk2c0d" } },
    },
    ({ grant: { tenant }, params: { connection } }) => {
      const session = deps.live.byConnection(tenant, connection);
      if (session === undefined) return refuse("not_found", "no such connection on this node");
      const subscriptions = Array.from(session.subscriptions.values(), ({ name, channel }) =>
        channel === undefined
          ? { channel: name }
          : { channel: name, offset: channel.top, epoch: channel.epoch },
      );
      return { ok: true, value: { ...entryOf(deps, session), subscriptions } };
    },
  );
}

function entryOf({ clock }: ConnectionRouteDeps, { connection, identity }: Session): object {
  const { connectionId: id, openedAtMs, remoteAddress, waitingBytes } = connection;
  return {
    connection: id,
    user: identity.userId,
    ...(identity.anonymous && { anonymous: true }),
    connectedAt: Math.round(clock.nowMs() - (clock.monotonicMs() - openedAtMs)),
    ...(remoteAddress !== undefined && { address: remoteAddress }),
    waitingBytes,
  };
}
