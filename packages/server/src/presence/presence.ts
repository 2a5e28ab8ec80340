import {
  type ChannelName,
  type Json,
  namespaceOf,
  type PresenceBody,
  type PresencePush,
  pushFrame,
} from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Namespaces } from "../channel/namespaces.ts";
import { getOrCreate } from "../get-or-create.ts";
import { frameOf } from "../hub/frame.ts";
import type { Hub } from "../hub/hub.ts";
import { type ChannelKey, channelKey, type TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { createDeadlines, type Due } from "../time/deadlines.ts";
import { Member } from "./member.ts";
import { PresenceChannel } from "./presence-channel.ts";

/** One connection of one user: who comes and goes. */
export type Attendant = { readonly identity: Identity; readonly connectionId: string };

/** A broken connection whose place is kept for its grace time. */
type Grace = Due & { readonly attendant: Attendant; readonly channel: ChannelName };

export type PresenceDeps = {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly namespaces: Namespaces;
};

/**
 * Who is in which channel: users, with their connections beneath (many tabs are one person). In this process's
 * memory; bounded by the subscriptions there are, each of which adds one connection to one channel.
 */
export class Presence {
  readonly #deps: PresenceDeps;
  readonly #graceMs: number;
  readonly #channels = new Map<ChannelKey, PresenceChannel>();
  readonly #graces;

  constructor(deps: PresenceDeps, options: { readonly graceMs: number }) {
    this.#deps = deps;
    this.#graceMs = options.graceMs;
    this.#graces = createDeadlines<Grace>(deps.clock, (grace) => this.#graceIsOver(grace));
  }

  /** Whether the channel's namespace keeps presence. */
  isKept(tenant: TenantId, channel: ChannelName): boolean {
    return this.#deps.namespaces.find(tenant, namespaceOf(channel)).options.presence;
  }

  /** A connection has subscribed. Others hear of it only when it is the user's first. */
  join(attendant: Attendant, channel: ChannelName): void {
    const { identity, connectionId } = attendant;
    if (!this.isKept(identity.tenant, channel)) return;
    const key = channelKey(identity.tenant, channel);
    const here = getOrCreate(this.#channels, key, () => new PresenceChannel());
    const known = here.get(identity.userId);
    const member = known ?? here.add(new Member(identity));
    if (member.connections.has(connectionId)) return;
    member.connections.add(connectionId);
    here.countConnections(1);
    const [returned] = member.broken;
    if (returned !== undefined) {
      // Most likely this is the connection that broke, back again: its place need not be kept any longer.
      member.broken.delete(returned);
      here.countConnections(-1);
    }
    if (known === undefined) this.#tell(here, member, { channel, event: "join" });
  }

  /** A connection has left. `stays`: it broke, and its place is kept for the grace time (PR4). */
  leave(attendant: Attendant, channel: ChannelName, how: { readonly stays: boolean }): void {
    const { identity, connectionId } = attendant;
    const here = this.#channels.get(channelKey(identity.tenant, channel));
    const member = here?.get(identity.userId);
    if (member === undefined || here === undefined) return;
    if (!member.connections.delete(connectionId)) return;
    if (how.stays && this.#graceMs > 0) {
      member.broken.add(connectionId);
      const place = { identity, connectionId };
      const grace: Grace = { attendant: place, channel, dueAtMs: 0, heapIndex: -1 };
      this.#graces.set(grace, this.#deps.clock.monotonicMs() + this.#graceMs);
      return;
    }
    here.countConnections(-1);
    this.#removeIfGone(here, member, channel);
  }

  /** Sets what others see of a user. Returns false when the connection is not present in the channel. */
  update(
    attendant: Attendant,
    channel: ChannelName,
    change: { readonly status: string | undefined; readonly data: Json | undefined },
  ): boolean {
    const { identity, connectionId } = attendant;
    const here = this.#channels.get(channelKey(identity.tenant, channel));
    const member = here?.get(identity.userId);
    if (here === undefined || !member?.connections.has(connectionId)) return false;
    if (change.status !== undefined) member.status = change.status;
    if (change.data !== undefined) member.data = change.data === null ? undefined : change.data;
    this.#tell(here, member, { channel, event: "update" });
    return true;
  }

  /** One page of who is there. O(limit), and a sort after changes. */
  read(
    tenant: TenantId,
    channel: ChannelName,
    page: { readonly limit: number; readonly cursor: string | undefined },
  ): PresenceBody {
    const here = this.#channels.get(channelKey(tenant, channel));
    if (here === undefined) return { channel, count: 0, connections: 0, users: [] };
    const { members, next } = here.page(page.limit, page.cursor);
    const users = members.map((member) => member.view());
    const body: PresenceBody = { channel, count: here.size, connections: here.connections, users };
    if (next !== undefined) body.next = next;
    return body;
  }

  close(): void {
    this.#graces.close();
    this.#channels.clear();
  }

  #graceIsOver({ attendant, channel }: Grace): void {
    const { identity, connectionId } = attendant;
    const here = this.#channels.get(channelKey(identity.tenant, channel));
    const member = here?.get(identity.userId);
    if (here === undefined || !member?.broken.delete(connectionId)) return;
    here.countConnections(-1);
    this.#removeIfGone(here, member, channel);
  }

  #removeIfGone(here: PresenceChannel, member: Member, channel: ChannelName): void {
    if (!member.gone) return;
    const { tenant, userId } = member.identity;
    here.remove(userId);
    this.#tell(here, member, { channel, event: "leave" });
    if (here.size === 0) this.#channels.delete(channelKey(tenant, channel));
  }

  #tell(
    here: PresenceChannel,
    member: Member,
    what: { readonly channel: ChannelName; readonly event: PresencePush["event"] },
  ): void {
    const { tenant } = member.identity;
    const { options } = this.#deps.namespaces.find(tenant, namespaceOf(what.channel));
    if (!options.joinLeave) return;
    const push: PresencePush = { ...what, user: member.view(), count: here.size };
    this.#deps.hub.push(channelKey(tenant, what.channel), frameOf(pushFrame("presence", push)));
  }
}
