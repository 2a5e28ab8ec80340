import type { ChannelName } from "@aldis/protocol";
import { getOrCreate } from "../get-or-create.ts";
import { type ChannelKey, channelKey } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { createDeadlines } from "../time/deadlines.ts";
import { type Grace, Member } from "./member.ts";
import type { Attendant, LooksChange } from "./presence.ts";
import { PresenceChannel } from "./presence-channel.ts";

/** What has become of a user in a channel; `connections`: only how many they have. */
export type AttendanceEvent = "join" | "leave" | "update" | "connections";

/** Called in the turn in which it happened, with the channel as it is after it. `looks`: what an `update` has set. */
export type OnAttendance = (
  here: PresenceChannel,
  member: Member,
  event: AttendanceEvent,
  looks?: LooksChange,
) => void;

/**
 * Who is in which channel by connections to this node, and for how long who broke is still counted. Bounded by the subscriptions there
 * are, each of which adds one connection to one channel.
 */
export class Attendance {
  readonly #clock: Clock;
  readonly #graceMs: number;
  readonly #onChange: OnAttendance;
  readonly #channels = new Map<ChannelKey, PresenceChannel>();
  readonly #graces;

  constructor(clock: Clock, graceMs: number, onChange: OnAttendance) {
    this.#clock = clock;
    this.#graceMs = graceMs;
    this.#onChange = onChange;
    this.#graces = createDeadlines<Grace>(clock, (grace) => this.#graceIsOver(grace));
  }

  /** Users, each once for each channel. O(channels) */
  get memberCount(): number {
    let count = 0;
    for (const channel of this.#channels.values()) count += channel.size;
    return count;
  }

  find(key: ChannelKey): PresenceChannel | undefined {
    return this.#channels.get(key);
  }

  channels(): Iterable<PresenceChannel> {
    return this.#channels.values();
  }

  join(attendant: Attendant, channel: ChannelName): void {
    const { identity, connectionId } = attendant;
    const key = channelKey(identity.tenant, channel);
    const here = getOrCreate(
      this.#channels,
      key,
      () => new PresenceChannel(identity.tenant, channel),
    );
    const known = here.get(identity.userId);
    const member = known ?? here.add(new Member(identity));
    if (member.connections.has(connectionId)) return;
    member.connections.add(connectionId);
    here.countConnections(1);
    this.#giveUpPlace(here, member, attendant.id);
    this.#onChange(here, member, known === undefined ? "join" : "connections");
  }

  leave(attendant: Attendant, channel: ChannelName, how: { readonly stays: boolean }): void {
    const { identity, connectionId, id: session } = attendant;
    const here = this.#channels.get(channelKey(identity.tenant, channel));
    const member = here?.get(identity.userId);
    if (member === undefined || here === undefined) return;
    if (!member.connections.delete(connectionId)) return;
    if (how.stays && this.#graceMs > 0) {
      if (this.#giveUpPlace(here, member, session)) this.#onChange(here, member, "connections");
      const grace: Grace = { identity, channel, session, dueAtMs: 0, heapIndex: -1 };
      member.broken.set(session, grace);
      this.#graces.set(grace, this.#clock.monotonicMs() + this.#graceMs);
      return;
    }
    this.#countDown(here, member);
  }

  update(attendant: Attendant, channel: ChannelName, change: LooksChange): boolean {
    const { identity, connectionId } = attendant;
    const here = this.#channels.get(channelKey(identity.tenant, channel));
    const member = here?.get(identity.userId);
    if (here === undefined || !member?.connections.has(connectionId)) return false;
    if (change.status !== undefined) member.status = change.status;
    if (change.data !== undefined) member.data = change.data === null ? undefined : change.data;
    this.#onChange(here, member, "update", change);
    return true;
  }

  close(): void {
    this.#graces.close();
    this.#channels.clear();
  }

  /** The session is back: its place need not be kept any longer. No other session takes it (PR4). */
  #giveUpPlace(here: PresenceChannel, member: Member, session: string): boolean {
    const grace = member.broken.get(session);
    if (grace === undefined) return false;
    member.broken.delete(session);
    this.#graces.remove(grace);
    here.countConnections(-1);
    return true;
  }

  #graceIsOver({ identity, channel, session }: Grace): void {
    const here = this.#channels.get(channelKey(identity.tenant, channel));
    const member = here?.get(identity.userId);
    if (here !== undefined && member?.broken.delete(session)) this.#countDown(here, member);
  }

  #countDown(here: PresenceChannel, member: Member): void {
    here.countConnections(-1);
    if (!member.gone) return this.#onChange(here, member, "connections");
    here.remove(member.userId);
    if (here.size === 0) this.#channels.delete(here.key);
    this.#onChange(here, member, "leave");
  }
}
