// What this node knows of rooms and of who is in them, a second old at most; and how nodes tell each other what is not so any more.
import { type ChannelName, field, isFields } from "@aldis/protocol";
import {
  type Awaitable,
  type ChannelKey,
  channelKey,
  type PluginContext,
  type Records,
  type TenantId,
} from "../plugins/index.ts";
import type { MemberRecord, RoomRecord } from "./collections.ts";
import type { ChatConfig } from "./config.ts";
import { RecentReads } from "./recent-reads.ts";

export type KnownRooms = {
  /** Undefined: there is no record of it. */
  room(tenant: TenantId, channel: ChannelName): Awaitable<RoomRecord | undefined>;
  /** What is recorded of somebody in a room; see `roleOf` for what it means. */
  member(tenant: TenantId, channel: ChannelName, user: string): Awaitable<MemberRecord | undefined>;
  /** It has been changed: forgotten here at once, on other nodes when they hear of it, or by its age. */
  roomChanged(tenant: TenantId, channel: ChannelName): void;
  memberChanged(tenant: TenantId, channel: ChannelName, user: string): void;
};

/** While the store is away: how long what was known before is taken for true. */
const STALE_MS = 60_000;
const CHANGED = "changed";

export function createKnownRooms(
  context: PluginContext<ChatConfig>,
  rooms: Records<RoomRecord>,
  members: Records<MemberRecord>,
): KnownRooms {
  const { cacheMs, cacheMax } = context.config;
  const onEvicted = () => context.count("known_evicted");
  const options = { freshMs: cacheMs, staleMs: STALE_MS, max: cacheMax, onEvicted };
  const known = new RecentReads<RoomRecord | undefined>(context.clock, options);
  const knownMembers = new RecentReads<MemberRecord | undefined>(context.clock, options);
  const memberName = (key: ChannelKey, user: string) => `${key}\0${user}`;

  function forget(key: ChannelKey, user: string | undefined): void {
    if (user === undefined) known.forget(key);
    else knownMembers.forget(memberName(key, user));
  }

  function changed(key: ChannelKey, user: string | undefined): void {
    forget(key, user);
    context.nodes.tellOthers(CHANGED, { key, ...(user !== undefined && { user }) });
  }

  context.nodes.on(CHANGED, (body) => {
    const key = isFields(body) ? field(body, "key") : undefined;
    const user = isFields(body) ? field(body, "user") : undefined;
    // Forgetting too much does no harm: the name is only compared with those that are known.
    if (typeof key === "string")
      forget(key as ChannelKey, typeof user === "string" ? user : undefined);
  });

  return {
    room(tenant, channel) {
      return known.get(channelKey(tenant, channel), () => rooms.get(tenant, { room: channel }));
    },
    member(tenant, channel, user) {
      return knownMembers.get(memberName(channelKey(tenant, channel), user), () =>
        members.get(tenant, { room: channel, user }),
      );
    },
    roomChanged: (tenant, channel) => changed(channelKey(tenant, channel), undefined),
    memberChanged: (tenant, channel, user) => changed(channelKey(tenant, channel), user),
  };
}
