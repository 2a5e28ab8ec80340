// The end of a room (CT9): first nobody sees it any more, then what it held goes, in pieces that repeat themselves after a crash.
import type { TenantId } from "../plugins/index.ts";
import type { Actor } from "./actor.ts";
import { withoutContent } from "./change.ts";
import { accessOf, channelOf, type MemberRecord, type RoomRecord } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import { enterExisting, mustBe } from "./enter.ts";
import { latestOf } from "./pages.ts";

/** How many records go at once, so that no writer waits long. */
export const PIECE = 500;
const MEMBERS_AT_ONCE = 100;

export async function deleteRoom(
  deps: ChatDeps,
  actor: Actor,
  room: string,
): Promise<{ room: string }> {
  const entered = await enterExisting(deps, actor, room, "subscribe");
  await mustBe(deps, entered, ["owner"]);
  const { channel } = entered.name;
  const { tenant } = actor;
  const gone = await deps.rooms.update(
    tenant,
    { room: channel },
    { state: "deleting", activeAt: deps.context.clock.nowMs() },
    { state: { is: "active" } },
  );
  deps.known.roomChanged(tenant, channel);
  if (gone === undefined) return { room: channel };
  const data = { room: channel };
  const once = `x${gone.version}.${gone.top}`;
  await deps.publications.publish({ tenant, channel, event: "chat.room_deleted", data, once });
  void emptyRoom(deps, tenant, gone).catch(() => deps.context.count("cleaning_failed"));
  return { room: channel };
}

/**
 * Removes what a room held, all but its last message's place, where its counting goes on. Once no node takes the room for one that is there any longer, so
 * that nothing is said in it afterwards. Two nodes that do it at once do no harm.
 */
async function emptyRoom(deps: ChatDeps, tenant: TenantId, record: RoomRecord): Promise<void> {
  if (accessOf(record) === "private") await putAllOut(deps, tenant, record);
  await new Promise<void>((resolve) => {
    deps.context.clock.setTimer(2 * deps.context.config.cacheMs, resolve);
  });
  await finishDeleting(deps, tenant, record);
}

/** Also called for rooms that a node which died had begun with; it finds them in its upkeep. */
export async function finishDeleting(
  deps: ChatDeps,
  tenant: TenantId,
  record: RoomRecord,
): Promise<void> {
  const { room } = record;
  const all = { index: "key", same: { room } } as const;
  if (accessOf(record) === "private") await putAllOut(deps, tenant, record);
  while ((await deps.members.removeSome(tenant, { ...all, limit: PIECE })) > 0);
  const last = await latestOf(deps, tenant, room);
  if (last !== undefined) {
    const before = { ...all, below: last.seq, limit: PIECE };
    while ((await deps.messages.removeSome(tenant, before)) > 0);
    const key = { room, seq: last.seq };
    const deletedAt = last.deletedAt ?? deps.context.clock.nowMs();
    const change = { ...withoutContent(last), body: {}, deletedAt, version: last.version + 1 };
    await deps.messages.update(tenant, key, change);
  }
  await deps.rooms.update(
    tenant,
    { room },
    {
      state: "deleted",
      title: undefined,
      data: undefined,
      owners: [],
      version: record.version + 1,
    },
    { state: { is: "deleting" } },
  );
  deps.known.roomChanged(tenant, channelOf(record));
}

async function putAllOut(deps: ChatDeps, tenant: TenantId, record: RoomRecord): Promise<void> {
  const { users, count } = deps.context;
  let after: string | undefined;
  let page: readonly MemberRecord[];
  do {
    page = await deps.members.list(tenant, {
      index: "key",
      same: { room: record.room },
      above: after,
      limit: MEMBERS_AT_ONCE,
    });
    for (const { user } of page) {
      await users
        .unsubscribe(tenant, user, channelOf(record))
        .catch(() => count("unsubscribe_lost"));
      deps.known.memberChanged(tenant, channelOf(record), user);
    }
    after = page.at(-1)?.user;
  } while (page.length === MEMBERS_AT_ONCE);
}
