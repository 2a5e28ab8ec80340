import { type ChannelName, namespaceOf, refuse } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import { type Awaitable, mapReady } from "../../awaitable.ts";
import type { Broker, HistoryPage } from "../../broker/broker.ts";
import type { Namespaces } from "../../channel/namespaces.ts";
import type { Hub } from "../../hub/hub.ts";
import type { HubChannel } from "../../hub/hub-channel.ts";
import type { Presence } from "../../presence/presence.ts";
import { channelKey, keysFrom, nameOf, type TenantId } from "../../tenant/tenant.ts";
import type { ApiAnswer } from "../api-answer.ts";
import type { Cursors } from "../cursors.ts";
import { listingName, startOf, takePage } from "../paging.ts";
import { JsonText, type Route, route } from "../route.ts";
import {
  channelName,
  epoch,
  nextCursor,
  offset,
  pageLimit,
  publication,
  queryCursor,
  queryInteger,
  userId,
} from "../schemas.ts";

export type ChannelRouteDeps = {
  readonly hub: Hub;
  readonly broker: Broker;
  readonly presence: Presence;
  readonly namespaces: Namespaces;
  readonly cursors: Cursors;
};

const TAG = "Channels";
const params = z.object({ channel: channelName });
const example = { path: { channel: "chat:lobby" } };

export function channelRoutes(deps: ChannelRouteDeps): Route[] {
  return [list(deps), history(deps), presence(deps)];
}

const channelEntry = z
  .object({
    channel: channelName,
    subscribers: z.number().int().min(0).openapi({ description: "Subscriptions on this node." }),
    users: z.number().int().min(0).optional().openapi({
      description: "Users who are present; absent where the namespace keeps no presence.",
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
  const { hub, cursors } = deps;
  return route(
    {
      method: "get",
      path: "/api/channels",
      access: "read",
      tag: TAG,
      summary: "List channels",
      description:
        "Channels that somebody on this node is subscribed to, by name. `offset` and `epoch` are where its subscribers stand. Go on with `next` until there is none; a page may be short of `limit` before that.",
      query: listQuery,
      refusals: ["unavailable"],
      answer: z.object({ channels: z.array(channelEntry), next: nextCursor.optional() }),
      example: { query: { prefix: "chat:" } },
    },
    ({ grant: { tenant }, query: { prefix = "", limit, cursor } }) => {
      const listing = listingName("channels", tenant, prefix);
      const start = startOf(cursors, listing, cursor);
      if (!start.ok) return start;
      const after = start.value === undefined ? undefined : String(start.value);
      const page = takePage(channelsOf(hub, tenant, { prefix, after }), {
        limit,
        wants: ({ subscriptions }) => subscriptions.length > 0,
        placeOf: ({ key }) => nameOf(key),
      });
      const next = page.last === undefined ? undefined : cursors.write(listing, page.last);
      return mapReady(entriesOf(deps, tenant, page.values), (channels) => ({
        ok: true,
        value: next === undefined ? { channels } : { channels, next },
      }));
    },
  );
}

/** P2: ends where the tenant's own keys with that prefix end. */
function* channelsOf(
  hub: Hub,
  tenant: TenantId,
  { prefix, after }: { readonly prefix: string; readonly after: string | undefined },
): Iterable<HubChannel> {
  const all = keysFrom(tenant, prefix);
  const last = after === undefined ? undefined : keysFrom(tenant, after);
  for (const channel of hub.channelsFrom(last ?? all)) {
    if (!channel.key.startsWith(all)) return;
    if (channel.key !== last) yield channel;
  }
}

/** With the users present in each, where the namespace keeps presence. */
function entriesOf(
  { presence: kept }: ChannelRouteDeps,
  tenant: TenantId,
  channels: readonly HubChannel[],
): Awaitable<object[]> {
  const names = channels.map(({ key }) => nameOf(key)).filter((name) => kept.isKept(tenant, name));
  return mapReady(kept.counts(tenant, names), (counts) => {
    const users = new Map(names.map((name, index) => [name, counts[index] ?? 0]));
    return channels.map(({ key, subscriptions, top: offset, epoch }) => {
      const channel = nameOf(key);
      const entry = { channel, subscribers: subscriptions.length };
      const count = users.get(channel);
      if (count === undefined) return { ...entry, offset, epoch };
      return { ...entry, users: count, offset, epoch };
    });
  });
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
