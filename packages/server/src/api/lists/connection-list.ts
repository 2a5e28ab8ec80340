// Connections of the cluster, node by node. Each node answers for its own; the one that is asked over HTTP goes from node to node.
import { type ChannelName, field, isFields, optionalInteger } from "@aldis/protocol";
import { fieldsOf, optionalChannelIn, optionalUserIn, tenantIn } from "../../cluster/bus-fields.ts";
import type { Hub } from "../../hub/hub.ts";
import type { ConnectionIds } from "../../random/connection-ids.ts";
import type { LiveSessions } from "../../session/live-sessions.ts";
import type { Session } from "../../session/session.ts";
import { channelKey, type TenantId } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import { SCAN_MAX, takePage } from "../paging.ts";
import { type AskDeps, askOthers, isGone, limitIn, valueIn } from "./ask-nodes.ts";

export type ConnectionListDeps = AskDeps & {
  readonly live: LiveSessions;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly ids: Pick<ConnectionIds, "mayBeOn">;
};

export type ConnectionFilter = {
  readonly tenant: TenantId;
  readonly user: string | undefined;
  readonly channel: ChannelName | undefined;
};

/** After which connection of which node a page begins. */
export type ConnectionPlace = { readonly node: string; readonly ordinal: number };

export type ConnectionPage = {
  readonly connections: readonly object[];
  /** Undefined: the list is over. */
  readonly last: ConnectionPlace | undefined;
  readonly missing: readonly string[];
};

type NodePage = { readonly connections: readonly object[]; readonly last: number | undefined };

const LIST = "list.connections";
const ONE = "list.connection";

/** Has this node answer for its own connections. */
export function answerForConnections(deps: ConnectionListDeps): void {
  deps.bus.on(LIST, (body) => {
    const fields = fieldsOf(body);
    const filter = {
      tenant: tenantIn(fields),
      user: optionalUserIn(fields),
      channel: optionalChannelIn(fields),
    };
    const after = optionalInteger(fields, "after", { min: 0, max: Number.MAX_SAFE_INTEGER }) ?? 0;
    return pageHere(deps, filter, { after, limit: limitIn(fields) });
  });
  deps.bus.on(ONE, (body) => {
    const fields = fieldsOf(body);
    return { connection: oneHere(deps, tenantIn(fields), String(field(fields, "connection"))) };
  });
}

/**
 * Up to `limit` connections, from `place` on: those of one node after those of another, by their ids. A node that has left is passed over,
 * and one that does not answer is missing.
 */
export async function listConnections(
  deps: ConnectionListDeps,
  filter: ConnectionFilter,
  { place, limit }: { readonly place: ConnectionPlace | undefined; readonly limit: number },
): Promise<ConnectionPage> {
  const { registry } = deps;
  const nodes = [registry.self, ...registry.others].sort();
  const connections: object[] = [];
  const missing: string[] = [];
  for (const node of nodes) {
    if (place !== undefined && node < place.node) continue;
    const left = limit - connections.length;
    if (left === 0) return { connections, last: { node, ordinal: 0 }, missing };
    const after = node === place?.node ? place.ordinal : 0;
    const page = await pageOf(deps, node, { filter, after, limit: left });
    if (page === "missing") missing.push(node);
    else if (page !== "gone") {
      connections.push(...page.connections);
      if (page.last !== undefined) {
        return { connections, last: { node, ordinal: page.last }, missing };
      }
    }
  }
  return { connections, last: undefined, missing };
}

/** A connection with its subscriptions; while nodes are missing, what is not found may be on one of them. */
export async function findConnection(
  deps: ConnectionListDeps,
  tenant: TenantId,
  connection: string,
): Promise<{ readonly found: object | undefined; readonly missing: readonly string[] }> {
  const here = oneHere(deps, tenant, connection);
  if (here !== undefined) return { found: here, missing: [] };
  const nodes = deps.registry.others.filter((node) => deps.ids.mayBeOn(connection, node));
  const body = { tenant, connection };
  const { values, missing } = await askOthers(deps, { nodes, kind: ONE, body }, readOne);
  return { found: values.find((one) => one !== "none"), missing };
}

type Ask = {
  readonly filter: ConnectionFilter;
  readonly after: number;
  readonly limit: number;
};

async function pageOf(
  deps: ConnectionListDeps,
  node: string,
  { filter, after, limit }: Ask,
): Promise<NodePage | "missing" | "gone"> {
  if (node === deps.registry.self) return pageHere(deps, filter, { after, limit });
  const answer = await deps.bus.request(node, LIST, { ...filter, after, limit });
  if (isGone(answer)) return "gone";
  return valueIn(answer, readPage) ?? "missing";
}

function readPage(body: unknown): NodePage | undefined {
  if (!isFields(body)) return undefined;
  const connections = field(body, "connections");
  const last = field(body, "last");
  if (!Array.isArray(connections) || !connections.every(isFields)) return undefined;
  return { connections, last: typeof last === "number" ? last : undefined };
}

function readOne(body: unknown): object | "none" | undefined {
  if (!isFields(body)) return undefined;
  const connection = field(body, "connection");
  return isFields(connection) ? connection : "none";
}

function pageHere(
  deps: ConnectionListDeps,
  filter: ConnectionFilter,
  { after, limit }: { readonly after: number; readonly limit: number },
): NodePage {
  const { user, channel } = filter;
  const page = takePage(candidates(deps, filter, after), {
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
  return { connections, last: page.last === undefined ? undefined : Number(page.last) };
}

/** The fewest that may be wanted, in order: those of a user, those in a channel, or all of the tenant's from there on. */
function candidates(
  { live, hub }: ConnectionListDeps,
  { tenant, user, channel }: ConnectionFilter,
  after: number,
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

function oneHere(
  deps: ConnectionListDeps,
  tenant: TenantId,
  connection: string,
): object | undefined {
  const session = deps.live.byConnection(tenant, connection);
  if (session === undefined) return undefined;
  const subscriptions = Array.from(session.subscriptions.values(), ({ name, channel }) =>
    channel === undefined
      ? { channel: name }
      : { channel: name, offset: channel.top, epoch: channel.epoch },
  );
  return { ...entryOf(deps, session), subscriptions };
}

function entryOf(
  { clock, registry }: ConnectionListDeps,
  { connection, identity }: Session,
): object {
  const { connectionId: id, openedAtMs, remoteAddress, waitingBytes } = connection;
  return {
    connection: id,
    node: registry.self,
    user: identity.userId,
    ...(identity.anonymous && { anonymous: true }),
    connectedAt: Math.round(clock.nowMs() - (clock.monotonicMs() - openedAtMs)),
    ...(remoteAddress !== undefined && { address: remoteAddress }),
    waitingBytes,
  };
}
