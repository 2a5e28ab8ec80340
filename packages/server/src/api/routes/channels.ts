import { type ChannelName, namespaceOf, refuse } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import { mapReady } from "../../awaitable.ts";
import type { Broker, HistoryPage } from "../../broker/broker.ts";
import { BrokerUnavailable } from "../../broker-unavailable.ts";
import type { Namespaces } from "../../channel/namespaces.ts";
import type { Presence } from "../../presence/presence.ts";
import { channelKey, type TenantId } from "../../tenant/tenant.ts";
import type { ApiAnswer } from "../api-answer.ts";
import type { Cursors } from "../cursors.ts";
import {
  answerForChannels,
  type ChannelListDeps,
  type ListedChannel,
  listChannels,
} from "../lists/channel-list.ts";
import { listingName, startOf } from "../paging.ts";
import { JsonText, type Route, route } from "../route.ts";
import {
  channelName,
  epoch,
  missingNodes,
  missingOf,
  nextCursor,
  offset,
  pageLimit,
  publication,
  queryCursor,
  queryInteger,
  userId,
} from "../schemas.ts";

export type ChannelRouteDeps = ChannelListDeps & {
  readonly broker: Broker;
  readonly presence: Presence;
  readonly namespaces: Namespaces;
  readonly cursors: Cursors;
};

const TAG = "Channels";
const params = z.object({ channel: channelName });
const example = { path: { channel: "chat:lobby" } };

export function channelRoutes(deps: ChannelRouteDeps): Route[] {
  answerForChannels(deps);
  return [list(deps), history(deps), presence(deps)];
}

const channelEntry = z
  .object({
    channel: channelName,
    subscribers: z
      .number()
      .int()
      .min(0)
      .openapi({ description: "Subscriptions, on all nodes together." }),
    users: z.number().int().min(0).optional().openapi({
      description:
        "Users who are present; absent where the namespace keeps no presence, or it cannot be asked now.",
    }),
    offset,
    epoch,
  })
  .openapi("ChannelEntry");

const listQuery = z.strictObject({
  prefix: z
    .string()
    .max(255)
    .optional()
    .openapi({ description: "Only channels that begin with it.", example: "chat:" }),
  limit: pageLimit,
  cursor: queryCursor.optional(),
});

function list(deps: ChannelRouteDeps): Route {
  const { cursors } = deps;
  return route(
    {
      method: "get",
      path: "/api/channels",
      access: "read",
      tag: TAG,
      summary: "List channels",
      description:
        "Channels that somebody is subscribed to, on any node, by name. `offset` and `epoch` are where the subscribers stand. Go on with `next` until there is none; a page may be short of `limit` before that.",
      query: listQuery,
      answer: z.object({
        channels: z.array(channelEntry),
        next: nextCursor.optional(),
        missing: missingNodes,
      }),
      example: { query: { prefix: "chat:" } },
    },
    async ({ grant: { tenant }, query: { prefix = "", limit, cursor } }) => {
      const listing = listingName("channels", tenant, prefix);
      const start = startOf(cursors, listing, cursor);
      if (!start.ok) return start;
      const after = start.value === undefined ? undefined : String(start.value);
      const page = await listChannels(deps, { tenant, prefix, after, limit });
      const next = page.last === undefined ? undefined : cursors.write(listing, page.last);
      const channels = await withUsers(deps, tenant, page.channels);
      const rest = { ...(next !== undefined && { next }), ...missingOf(page.missing) };
      return { ok: true, value: { channels, ...rest } };
    },
  );
}

/** With the users present in each, where the namespace keeps presence and it can be asked. */
async function withUsers(
  { presence: kept }: ChannelRouteDeps,
  tenant: TenantId,
  listed: readonly ListedChannel[],
): Promise<object[]> {
  const names = listed.map(({ channel }) => channel).filter((name) => kept.isKept(tenant, name));
  const counts = await countsOf(kept, tenant, names);
  const users = new Map(names.map((name, index) => [name, counts[index]]));
  return listed.map(({ channel, subscribers, offset, epoch }) => {
    const count = users.get(channel);
    if (count === undefined) return { channel, subscribers, offset, epoch };
    return { channel, subscribers, users: count, offset, epoch };
  });
}

/** None where what holds them is away: the list is worth more than nothing (P5). */
async function countsOf(
  kept: Presence,
  tenant: TenantId,
  names: readonly ChannelName[],
): Promise<readonly number[]> {
  try {
    return await kept.counts(tenant, names);
  } catch (error) {
    if (error instanceof BrokerUnavailable) return [];
    throw error;
  }
}

const historyQuery = z.strictObject({
  limit: pageLimit,
  before: queryInteger(
    { min: 1, max: Number.MAX_SAFE_INTEGER },
    "The latest with a smaller offset.",
  ).optional(),
  after: queryInteger(
    { min: 0, max: Number.MAX_SAFE_INTEGER },
    "The earliest with a greater offset.",
  ).optional(),
  epoch: epoch.optional(),
});

const historyAnswer = z
  .object({
    channel: channelName,
    publications: z.array(publication),
    offset,
    epoch,
    more: z.boolean().openapi({ description: "The page ended before the history did." }),
  })
  .openapi("HistoryPage");

function history({ broker, namespaces }: ChannelRouteDeps): Route {
  return route(
    {
      method: "get",
      path: "/api/channels/{channel}/history",
      access: "read",
      tag: TAG,
      summary: "Read a channel's history",
      description:
        "A page of publications in order of offset: the latest `limit` without bounds, the latest before `before`, the earliest after `after`. With an `epoch` that is over the answer is `position_lost` (HI2).",
      params,
      query: historyQuery,
      answer: historyAnswer,
      refusals: ["bad_channel", "position_lost", "unavailable"],
      example: { ...example, query: { limit: "20" } },
    },
    ({ grant: { tenant }, params: { channel }, query }) => {
      const { limit, before, after } = query;
      const { options } = namespaces.find(tenant, namespaceOf(channel));
      const page = broker.history(
        channelKey(tenant, channel),
        { limit, before, after },
        options.history,
      );
      const answer = (found: HistoryPage) => historyOf(channel, found, query.epoch);
      return page instanceof Promise ? page.then(answer) : answer(page);
    },
  );
}

function historyOf(channel: ChannelName, page: HistoryPage, asked: string | undefined): ApiAnswer {
  const { top, publications, more } = page;
  if (asked !== undefined && asked !== top.epoch) {
    return refuse("position_lost", "this epoch is over");
  }
  // The publications are encoded already: they are put in as they are.
  const texts = publications.map((one) => one.json).join(",");
  const head = `{"channel":"${channel}","publications":[${texts}]`;
  const rest = `"offset":${top.offset},"epoch":"${top.epoch}","more":${more}}`;
  return { ok: true, value: new JsonText(`${head},${rest}`) };
}

const presentUser = z
  .object({
    id: userId,
    name: z.string().optional(),
    avatar: z.string().optional(),
    status: z.string().optional(),
    data: z.unknown().optional(),
    connections: z.number().int().min(1),
  })
  .openapi("PresentUser");

const presenceQuery = z.strictObject({
  limit: queryInteger(
    { min: 0, max: 500 },
    "How many at most; 0 gives counts alone, 50 unless asked.",
  )
    .optional()
    .transform((limit) => limit ?? 50),
  cursor: queryCursor.optional(),
});

const presenceAnswer = z
  .object({
    channel: channelName,
    count: z.number().int().min(0).openapi({ description: "Users." }),
    connections: z.number().int().min(0),
    users: z.array(presentUser),
    next: nextCursor.optional(),
  })
  .openapi("PresencePage");

function presence({ presence: kept, cursors }: ChannelRouteDeps): Route {
  return route(
    {
      method: "get",
      path: "/api/channels/{channel}/presence",
      access: "read",
      tag: TAG,
      summary: "See who is in a channel",
      description:
        "The users who are present, by id, and how many. Where the namespace keeps no presence: `not_found`.",
      params,
      query: presenceQuery,
      answer: presenceAnswer,
      refusals: ["bad_channel", "not_found", "unavailable"],
      example,
    },
    ({ grant: { tenant }, params: { channel }, query: { limit, cursor } }) => {
      if (!kept.isKept(tenant, channel)) {
        return refuse("not_found", "this namespace keeps no presence");
      }
      const listing = listingName("presence", tenant, channel);
      const start = startOf(cursors, listing, cursor);
      if (!start.ok) return start;
      const after = start.value === undefined ? undefined : String(start.value);
      const page = kept.read(tenant, channel, { limit, cursor: after });
      return mapReady(page, ({ next, ...body }) => ({
        ok: true,
        value: next === undefined ? body : { ...body, next: cursors.write(listing, next) },
      }));
    },
  );
}
