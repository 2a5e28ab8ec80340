import { type ChannelName, namespaceOf, type PresenceBody } from "@aldis/protocol";
import type { Namespaces } from "../channel/namespaces.ts";
import type { Hub } from "../hub/hub.ts";
import { channelKey, type TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import { type AnnouncementOptions, Announcements } from "./announcements.ts";
import { Attendance } from "./attendance.ts";
import type {
  Attendant,
  LooksChange,
  OnPresenceChange,
  PageRequest,
  Presence,
} from "./presence.ts";

export type PresenceDeps = {
  readonly clock: Clock;
  readonly hub: Hub;
  readonly namespaces: Namespaces;
  readonly onChange?: OnPresenceChange | undefined;
};

/** Without a word about pushes each change is told at once. */
export type PresenceOptions = { readonly graceMs: number } & Partial<AnnouncementOptions>;

/** Presence of a node that is alone: all who are there are here. Answers at once. */
export class MemoryPresence implements Presence {
  readonly #namespaces: Namespaces;
  readonly #announcements: Announcements;
  readonly #attendance: Attendance;

  constructor(deps: PresenceDeps, options: PresenceOptions) {
    const { graceMs, pushIntervalMs = 0, pushMaxUsers = 100 } = options;
    this.#namespaces = deps.namespaces;
    this.#announcements = new Announcements(deps, { pushIntervalMs, pushMaxUsers });
    this.#attendance = new Attendance(deps.clock, graceMs, (here, member, event) => {
      if (event === "connections") return;
      this.#announcements.note(here, member, event);
      const { tenant, channel } = here;
      deps.onChange?.({ tenant, channel, event, userId: member.userId });
    });
  }

  isKept(tenant: TenantId, channel: ChannelName): boolean {
    return this.#namespaces.find(tenant, namespaceOf(channel)).options.presence;
  }

  get memberCount(): number {
    return this.#attendance.memberCount;
  }

  join(attendant: Attendant, channel: ChannelName): void {
    if (this.isKept(attendant.identity.tenant, channel)) this.#attendance.join(attendant, channel);
  }

  leave(attendant: Attendant, channel: ChannelName, how: { readonly stays: boolean }): void {
    this.#attendance.leave(attendant, channel, how);
  }

  update(attendant: Attendant, channel: ChannelName, change: LooksChange): boolean {
    return this.#attendance.update(attendant, channel, change);
  }

  /** O(limit + log n). */
  read(tenant: TenantId, channel: ChannelName, page: PageRequest): PresenceBody {
    const here = this.#attendance.find(channelKey(tenant, channel));
    if (here === undefined) return { channel, count: 0, connections: 0, users: [] };
    const { members, next } = here.page(page.limit, page.cursor);
    const users = members.map((member) => member.view());
    const body: PresenceBody = { channel, count: here.size, connections: here.connections, users };
    if (next !== undefined) body.next = next;
    return body;
  }

  counts(tenant: TenantId, channels: readonly ChannelName[]): readonly number[] {
    return channels.map((channel) => this.#attendance.find(channelKey(tenant, channel))?.size ?? 0);
  }

  close(): void {
    this.#attendance.close();
    this.#announcements.close();
  }
}
