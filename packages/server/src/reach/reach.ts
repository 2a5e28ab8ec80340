// Does things to connections wherever they are: here, and by asking the other nodes. Called by the HTTP API and by the command `send`.
import { FIELD_LIMITS, field, isFields, requiredString } from "@aldis/protocol";
import type { Awaitable } from "../awaitable.ts";
import { fieldsOf, tenantIn } from "../cluster/bus-fields.ts";
import type { BusAnswer, NodeBus } from "../cluster/node-bus.ts";
import type { NodeRegistry } from "../cluster/node-registry.ts";
import type { ConnectionIds } from "../random/connection-ids.ts";
import { directFrame, sessionsOf } from "../session/direct.ts";
import type { LiveSessions } from "../session/live-sessions.ts";
import type { Reach, Reached, Whom } from "../session/reach.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import {
  type Deed,
  DISCONNECT,
  type ParkedSessions,
  REFRESH,
  readWhom,
  SEND,
  SUBSCRIBE,
  UNSUBSCRIBE,
  writeWhom,
} from "./deeds.ts";

export type ReachDeps = {
  readonly live: LiveSessions;
  readonly parked: ParkedSessions;
  readonly clock: Clock;
  readonly registry: Pick<NodeRegistry, "others">;
  readonly bus: NodeBus;
  readonly ids: Pick<ConnectionIds, "mayBeOn">;
};

const NOBODY: readonly string[] = [];

export function createReach(deps: ReachDeps): Reach {
  const { live, parked, clock, registry, bus, ids } = deps;

  /** A copy: what is done to a session may end it. */
  function here<A>(deed: Deed<A>, { tenant, to }: Whom, args: A): number {
    if ("user" in to) deed.actOnParked?.(parked, { tenant, userId: to.user }, args);
    return [...sessionsOf(live, tenant, to)].filter((session) => deed.act(session, args)).length;
  }

  function everywhere<A extends object>(deed: Deed<A>, whom: Whom, args: A): Awaitable<Reached> {
    const connections = here(deed, whom, args);
    const others = othersFor(whom, connections);
    if (others.length === 0) return { connections, missing: NOBODY };
    const body = { ...args, ...writeWhom(whom) };
    const asked = others.map(async (node) => ({
      node,
      answer: await bus.request(node, kindOf(deed), body),
    }));
    return Promise.all(asked).then((answers) => sumUp(connections, answers));
  }

  /** A user may be on every node; a connection is on one, which its id leads to. */
  function othersFor({ to }: Whom, foundHere: number): readonly string[] {
    if (!("connection" in to)) return registry.others;
    if (foundHere > 0) return NOBODY;
    return registry.others.filter((node) => ids.mayBeOn(to.connection, node));
  }

  function take<A extends object>(deed: Deed<A>): void {
    bus.on(kindOf(deed), (body) => {
      const fields = fieldsOf(body);
      return { connections: here(deed, readWhom(fields), deed.read(fields)) };
    });
  }

  const ownerHere = (tenant: TenantId, connection: string) =>
    live.byConnection(tenant, connection)?.identity.userId;

  function ownerOf(tenant: TenantId, connection: string): Awaitable<string | undefined> {
    const here = ownerHere(tenant, connection);
    const others = othersFor({ tenant, to: { connection } }, here === undefined ? 0 : 1);
    if (others.length === 0) return here;
    const asked = others.map((node) => bus.request(node, OWNER, { tenant, connection }));
    return Promise.all(asked).then((answers) =>
      answers.map(userIn).find((user) => user !== undefined),
    );
  }

  bus.on(OWNER, (body) => {
    const fields = fieldsOf(body);
    const connection = requiredString(fields, "connection", FIELD_LIMITS.connection);
    return { user: ownerHere(tenantIn(fields), connection) };
  });
  for (const deed of [SUBSCRIBE, UNSUBSCRIBE]) take(deed);
  take(SEND);
  take(DISCONNECT);
  take(REFRESH);
  return {
    send(message) {
      const { tenant, to, urgent } = message;
      const frame = directFrame(message, clock.nowMs());
      return everywhere(SEND, { tenant, to }, { frame, urgent });
    },
    ownerOf,
    subscribe: (whom, channel) => everywhere(SUBSCRIBE, whom, { channel }),
    unsubscribe: (whom, channel) => everywhere(UNSUBSCRIBE, whom, { channel }),
    disconnect: (whom, how) => everywhere(DISCONNECT, whom, how),
    refresh: (whom, withinMs) => everywhere(REFRESH, whom, { withinMs }),
  };
}

const OWNER = "reach.owner";

function userIn(answer: BusAnswer): string | undefined {
  const user = answer.ok && isFields(answer.body) ? field(answer.body, "user") : undefined;
  return typeof user === "string" ? user : undefined;
}

function kindOf({ kind }: Pick<Deed<object>, "kind">): string {
  return `reach.${kind}`;
}

function sumUp(
  here: number,
  answers: readonly { readonly node: string; readonly answer: BusAnswer }[],
): Reached {
  let connections = here;
  const missing: string[] = [];
  for (const { node, answer } of answers) {
    const count =
      answer.ok && isFields(answer.body) ? field(answer.body, "connections") : undefined;
    if (Number.isSafeInteger(count)) connections += count as number;
    // Of a node that is gone there are no connections.
    else if (answer.ok || answer.cause !== "gone") missing.push(node);
  }
  return { connections, missing };
}
