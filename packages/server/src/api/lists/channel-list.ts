// Channels that somebody in the cluster is subscribed to, by name. Each node answers for its own; a page is put together of one of every node.
import {
  type ChannelName,
  type Fields,
  field,
  isFields,
  optionalString,
  parseChannelName,
} from "@aldis/protocol";
import { fieldsOf, tenantIn } from "../../cluster/bus-fields.ts";
import type { Hub } from "../../hub/hub.ts";
import type { HubChannel } from "../../hub/hub-channel.ts";
import { keysFrom, nameOf, type TenantId } from "../../tenant/tenant.ts";
import { takePage } from "../paging.ts";
import { type AskDeps, askOthers, limitIn } from "./ask-nodes.ts";

export type ChannelListDeps = AskDeps & { readonly hub: Hub };

export type ChannelQuery = {
  readonly tenant: TenantId;
  readonly prefix: string;
  /** Only what comes after this name. */
  readonly after: string | undefined;
  readonly limit: number;
};

/** A channel with its subscribers, and where they stand. */
export type ListedChannel = {
  readonly channel: ChannelName;
  readonly subscribers: number;
  readonly offset: number;
  readonly epoch: string;
};

/** In order of names. */
export type NodeChannels = {
  readonly channels: readonly ListedChannel[];
  /** There may be more after this name; undefined: there is none. */
  readonly last: string | undefined;
};

export type ChannelPage = NodeChannels & { readonly missing: readonly string[] };

const LIST = "list.channels";
const NAME_MAX_LENGTH = 255;

/** Has this node answer for its own channels. */
export function answerForChannels(deps: ChannelListDeps): void {
  deps.bus.on(LIST, (body) => {
    const fields = fieldsOf(body);
    return pageHere(deps.hub, {
      tenant: tenantIn(fields),
      prefix: optionalString(fields, "prefix", NAME_MAX_LENGTH) ?? "",
      after: optionalString(fields, "after", NAME_MAX_LENGTH),
      limit: limitIn(fields),
    });
  });
}

/** Up to `limit` channels, with the subscribers of all nodes that answered. */
export async function listChannels(
  deps: ChannelListDeps,
  query: ChannelQuery,
): Promise<ChannelPage> {
  const here = pageHere(deps.hub, query);
  if (deps.registry.others.length === 0) return { ...here, missing: [] };
  // An empty text would be refused as a field.
  const body = { ...query, prefix: query.prefix === "" ? undefined : query.prefix };
  const { values, missing } = await askOthers(
    deps,
    { nodes: deps.registry.others, kind: LIST, body },
    readPage,
  );
  return { ...mergeChannels([here, ...values], query.limit), missing };
}

/**
 * One page of several. A node that has more than it told knows nothing of what comes after its `last`: beyond the first of these names the
 * counts would not be whole, so the page ends there.
 */
export function mergeChannels(pages: readonly NodeChannels[], limit: number): NodeChannels {
  const ends = pages.flatMap(({ last }) => last ?? []);
  const end = ends.reduce<string | undefined>(
    (least, name) => (least === undefined || name < least ? name : least),
    undefined,
  );
  const byName = new Map<string, ListedChannel>();
  for (const listed of pages.flatMap(({ channels }) => channels)) {
    if (end !== undefined && listed.channel > end) continue;
    const former = byName.get(listed.channel);
    byName.set(listed.channel, former === undefined ? listed : together(former, listed));
  }
  const merged = [...byName.values()].sort((a, b) => (a.channel < b.channel ? -1 : 1));
  if (merged.length <= limit) return { channels: merged, last: end };
  const channels = merged.slice(0, limit);
  return { channels, last: channels.at(-1)?.channel };
}

/** Nodes may be a publication apart, for a moment: the one that is ahead knows. */
function together(one: ListedChannel, other: ListedChannel): ListedChannel {
  const ahead = one.epoch === other.epoch && other.offset > one.offset ? other : one;
  return { ...ahead, subscribers: one.subscribers + other.subscribers };
}

function pageHere(hub: Hub, { tenant, prefix, after, limit }: ChannelQuery): NodeChannels {
  const page = takePage(channelsOf(hub, tenant, { prefix, after }), {
    limit,
    wants: ({ subscriptions }) => subscriptions.length > 0,
    placeOf: ({ key }) => nameOf(key),
  });
  const channels = page.values.map(({ key, subscriptions, top: offset, epoch }) => ({
    channel: nameOf(key),
    subscribers: subscriptions.length,
    ...{ offset, epoch },
  }));
  return { channels, last: page.last === undefined ? undefined : String(page.last) };
}

/** P2: ends where the tenant's own keys with that prefix end. */
function* channelsOf(
  hub: Hub,
  tenant: TenantId,
  { prefix, after }: Pick<ChannelQuery, "prefix" | "after">,
): Iterable<HubChannel> {
  const all = keysFrom(tenant, prefix);
  const last = after === undefined ? undefined : keysFrom(tenant, after);
  for (const channel of hub.channelsFrom(last ?? all)) {
    if (!channel.key.startsWith(all)) return;
    if (channel.key !== last) yield channel;
  }
}

function readPage(body: unknown): NodeChannels | undefined {
  if (!isFields(body)) return undefined;
  const channels = field(body, "channels");
  const last = field(body, "last");
  if (!Array.isArray(channels)) return undefined;
  const listed = channels.map(readChannel);
  const known = listed.filter((channel) => channel !== undefined);
  if (known.length < listed.length) return undefined;
  return { channels: known, last: typeof last === "string" ? last : undefined };
}

function readChannel(value: unknown): ListedChannel | undefined {
  if (!isFields(value)) return undefined;
  const { channel, subscribers, offset, epoch }: Fields = value;
  const name = parseChannelName(channel);
  if (!name.ok || typeof epoch !== "string") return undefined;
  if (!isCount(subscribers) || !isCount(offset)) return undefined;
  return { channel: name.value, subscribers, offset, epoch };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
