// Rooms in lists: one's own by activity (CT21), and all of a tenant for its backend.
import type { ChatMyRoom, ChatRoom, ChatRoomsBody, ChatUnreadBody } from "@aldis/protocol";
import { howManyFit } from "../plugins/index.ts";
import type { Actor } from "./actor.ts";
import { accessOf, channelOf, type MemberRecord, type RoomRecord } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import { personOf } from "./enter.ts";
import { unreadOf } from "./marks.ts";
import { latestOf } from "./pages.ts";
import { badRequest } from "./refusals.ts";
import { roleOf, wireMessage, wireRoom } from "./wire.ts";

export type OwnRooms = { readonly limit: number; readonly cursor?: string | undefined };

/** The place of a room in the list: when something was said last, and its name. */
const CURSOR = /^(\d{1,16})\/(.+)$/s;

export async function ownRooms(
  deps: ChatDeps,
  actor: Actor,
  { limit, cursor }: OwnRooms,
): Promise<ChatRoomsBody> {
  const user = personOf(actor);
  const place = cursor === undefined ? undefined : CURSOR.exec(cursor);
  if (place === null) throw badRequest("`cursor` is not one of this list");
  const own = await roomsOf(deps, actor, user);
  own.sort(byActivity);
  const from = place && { record: { activeAt: Number(place[1]), room: place[2] ?? "" } };
  const after = from === undefined ? own : own.filter((one) => byActivity(one, from) > 0);
  const page = after.slice(0, limit);
  const all = await Promise.all(page.map((one) => withUnread(deps, actor, one)));
  const rooms = all.slice(0, howManyFit(all));
  const last = page[rooms.length - 1]?.record;
  const more = last && after.length > rooms.length;
  return { rooms, ...(more && { next: `${last.activeAt}/${last.room}` }) };
}

type Own = { readonly member: MemberRecord; readonly record: RoomRecord };
type Placed = { readonly record: Pick<RoomRecord, "activeAt" | "room"> };

function byActivity({ record: a }: Placed, { record: b }: Placed): number {
  if (a.activeAt !== b.activeAt) return b.activeAt - a.activeAt;
  return a.room < b.room ? -1 : a.room > b.room ? 1 : 0;
}

/** At most as many as one may have: two calls. */
async function roomsOf(deps: ChatDeps, actor: Actor, user: string): Promise<Own[]> {
  const { tenant } = actor;
  const limit = deps.context.config.roomsPerUserMax;
  const members = await deps.members.list(tenant, { index: "by_user", same: { user }, limit });
  const keys = members.map(({ room }) => ({ room }));
  const records = keys.length === 0 ? [] : await deps.rooms.getMany(tenant, keys);
  return members.flatMap((member, i): Own[] => {
    const record = records[i];
    return record !== undefined && isOpenTo(actor, record, member) ? [{ member, record }] : [];
  });
}

function isOpenTo(actor: Actor, record: RoomRecord, member: MemberRecord): boolean {
  if (record.state !== "active" || !actor.may("subscribe", channelOf(record))) return false;
  return accessOf(record) === "public" || roleOf(record, member.user, member) !== undefined;
}

async function withUnread(
  deps: ChatDeps,
  actor: Actor,
  { member, record }: Own,
): Promise<ChatMyRoom> {
  const { tenant } = actor;
  const { room, user, read, delivered } = member;
  const last = await latestOf(deps, tenant, room);
  const top = last?.seq ?? 0;
  const mayRead = actor.may("history", channelOf(record));
  const unread = await unreadOf(deps, tenant, { room, user, read, top });
  // A node died before it told the list, which is in order from now on.
  if (last !== undefined && top > record.top) {
    deps.activity.note(tenant, channelOf(record), { top, activeAt: last.at });
  }
  return {
    ...wireRoom(
      { ...record, top, activeAt: last?.at ?? record.activeAt },
      roleOf(record, user, member),
    ),
    read,
    delivered,
    unread,
    ...(last !== undefined && mayRead && { last: wireMessage(last, user) }),
  };
}

/** The same, short. */
export async function unread(
  deps: ChatDeps,
  actor: Actor,
  asked: OwnRooms,
): Promise<ChatUnreadBody> {
  const { rooms, next } = await ownRooms(deps, actor, asked);
  const counts = rooms.map(({ room, unread: count }) => ({ room, unread: count }));
  return { rooms: counts, ...(next !== undefined && { next }) };
}

/** In order of name. The cursor is the last one's. */
export async function allRooms(
  { rooms }: ChatDeps,
  { tenant }: Actor,
  { limit, cursor }: OwnRooms,
): Promise<{ rooms: ChatRoom[]; next?: string }> {
  const found = await rooms.list(tenant, { index: "key", above: cursor, limit: limit + 1 });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    rooms: page.filter(({ state }) => state === "active").map((record) => wireRoom(record)),
    ...(found.length > limit && last && { next: last.room }),
  };
}
