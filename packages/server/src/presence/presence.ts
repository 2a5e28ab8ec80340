import { type ChannelName, type Json, namespaceOf, type PresenceBody } from "@aldis/protocol";
import type { Identity } from "../auth/identity.ts";
import type { Namespaces } from "../channel/namespaces.ts";
import { getOrCreate } from "../get-or-create.ts";
import type { Hub } from "../hub/hub.ts";
import { type ChannelKey, channelKey, type TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { createDeadlines } from "../time/deadlines.ts";
import { type AnnouncementOptions, Announcements } from "./announcements.ts";
import { type Grace, Member } from "./member.ts";
import { PresenceChannel } from "./presence-channel.ts";

/** One connection of one user: who comes and goes. */
export type Attendant = {
  /** Of the session, which survives the connection. */
  readonly id: string;
  readonly identity: Identity;
  readonly connectionId: string;
};

export type PresenceDeps = {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly namespaces: Namespaces;
};

/** Without a word about pushes each change is told at once. */
export type PresenceOptions = { readonly graceMs: number } & Partial<AnnouncementOptions>;

/**
 * Who is in which channel: users, with their connections beneath (many tabs are one person). In this process's
 * memory; bounded by the subscriptions there are, each of which adds one connection to one channel.
 */
export class Presence {
  readonly #namespaces: Namespaces;
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #channels = new Map<ChannelKey, PresenceChannel>();
  readonly #graces;
  readonly #announcements: Announcements;

  constructor(deps: PresenceDeps, options: PresenceOptions) {
    const { graceMs, pushIntervalMs = 0, pushMaxUsers = 100 } = options;
    this.#namespaces = deps.namespaces;
    this.#clock = deps.clock;
    this.#graceMs = graceMs;
    this.#graces = createDeadlines<Grace>(deps.clock, (grace) => this.#graceIsOver(grace));
    this.#announcements = new Announcements(
      { ...deps, find: (key) => this.#channels.get(key) },
      { pushIntervalMs, pushMaxUsers },
    );
  }

  /** Whether the channel's namespace keeps presence. */
  isKept(tenant: TenantId, channel: ChannelName): boolean {
    return this.#namespaces.find(tenant, namespaceOf(channel)).options.presence;
  }

  /** Users present, each once for each channel. O(channels) */
  get memberCount(): number {
    let count = 0;
    for (const channel of this.#channels.values()) count += channel.size;
    return count;
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
    this.#giveUpPlace(here, member, attendant.id);
    if (known === undefined) this.#announcements.note(member, channel, "join");
  }

  /** A connection has left. `stays`: it broke, and its place is kept for the grace time (PR4). */
  leave(attendant: Attendant, channel: ChannelName, how: { readonly stays: boolean }): void {
    const { identity, connectionId, id: session } = attendant;
    const here = this.#channels.get(channelKey(identity.tenant, channel));
    const member = here?.get(identity.userId);
    if (member === undefined || here === undefined) return;
    if (!member.connections.delete(connectionId)) return;
    if (how.stays && this.#graceMs > 0) {
      this.#giveUpPlace(here, member, session);
      const grace: Grace = { identity, channel, session, dueAtMs: 0, heapIndex: -1 };
      member.broken.set(session, grace);
      this.#graces.set(grace, this.#clock.monotonicMs() + this.#graceMs);
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
    this.#announcements.note(member, channel, "update");
    return true;
  }

  /** One page of who is there. O(limit + log n). */
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
    this.#announcements.close();
    this.#channels.clear();
  }

  /** The session is back: its place need not be kept any longer. No other session takes it (PR4). */
  #giveUpPlace(here: PresenceChannel, member: Member, session: string): void {
    const grace = member.broken.get(session);
    if (grace === undefined) return;
    member.broken.delete(session);
    this.#graces.remove(grace);
    here.countConnections(-1);
  }

  #graceIsOver({ identity, channel, session }: Grace): void {
    const here = this.#channels.get(channelKey(identity.tenant, channel));
    const member = here?.get(identity.userId);
    if (here === undefined || !member?.broken.delete(session)) return;
    here.countConnections(-1);
    this.#removeIfGone(here, member, channel);
  }

  #removeIfGone(here: PresenceChannel, member: Member, channel: ChannelName): void {
    if (!member.gone) return;
    const { tenant, userId } = member.identity;
    here.remove(userId);
    if (here.size === 0) this.#channels.delete(channelKey(tenant, channel));
    this.#announcements.note(member, channel, "leave");
  }
}
