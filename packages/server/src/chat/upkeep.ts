// What goes by itself: messages by age and number (CT28), rooms that were being deleted when a node died. One process of the cluster does it, in pieces.
import type { Swept, TenantId } from "../plugins/index.ts";
import { channelOf, type MessageRecord, type RoomRecord } from "./collections.ts";
import { finishDeleting, PIECE } from "./delete-room.ts";
import type { ChatDeps } from "./deps.ts";
import { latestOf } from "./pages.ts";
import { roomOfChannel } from "./room-name.ts";

/** Rooms that are looked at in one go, and pieces that are removed in it; the next one goes on from there. */
const ROOMS_AT_ONCE = 2_000;
const PAGE = 200;
const PIECES_AT_ONCE = 200;
const AGED_AT_ONCE = 200;
const TAKEN_OVER_MS = 60_000;

/** Returns what is to be called again and again. */
export function createUpkeep(deps: ChatDeps): () => Promise<void> {
  let place: Swept<RoomRecord> | undefined;

  /** Returns whether there may be more behind it. */
  async function lookAfterPage(budget: Budget): Promise<boolean> {
    const page = await deps.rooms.sweep(place, PAGE);
    for (const swept of page) {
      await lookAfter(deps, swept, budget);
      // A room that wants more than was left has its turn again next time.
      if (budget.pieces <= 0) return false;
      place = swept;
    }
    if (page.length < PAGE) place = undefined;
    return page.length === PAGE;
  }

  return async () => {
    const budget = { pieces: PIECES_AT_ONCE };
    for (let seen = 0; seen < ROOMS_AT_ONCE; seen += PAGE) {
      if (!(await lookAfterPage(budget))) return;
    }
  };
}

type Budget = { pieces: number };

async function lookAfter(
  deps: ChatDeps,
  { tenant, record }: Swept<RoomRecord>,
  budget: Budget,
): Promise<void> {
  if (record.state === "deleting") {
    // The node that began with it is given its time; and by then no other takes the room for one that is there.
    const { clock, config } = deps.context;
    if (clock.nowMs() - record.activeAt < TAKEN_OVER_MS + 2 * config.cacheMs) return;
    await finishDeleting(deps, tenant, record);
    budget.pieces--;
    return;
  }
  const retention = roomOfChannel(channelOf(record), deps.context.config)?.options.retention;
  if (retention === undefined || retention.ageMs + retention.count === 0) return;
  const latest = await latestOf(deps, tenant, record.room);
  if (latest === undefined) return;
  if (retention.count > 0) {
    // The numbers have no gaps: the latest one says how many there are behind the first that stays.
    const below = latest.seq - retention.count + 1;
    await removeBelow(deps, tenant, { room: record.room, below }, budget);
  }
  if (retention.ageMs > 0) {
    const before = deps.context.clock.nowMs() - retention.ageMs;
    await removeAged(deps, tenant, { latest, before }, budget);
  }
}

async function removeBelow(
  deps: ChatDeps,
  tenant: TenantId,
  { room, below }: { readonly room: string; readonly below: number },
  budget: Budget,
): Promise<void> {
  const query = { index: "key", same: { room }, below, limit: PIECE } as const;
  while (below > 1 && budget.pieces > 0) {
    const removed = await deps.messages.removeSome(tenant, query);
    budget.pieces--;
    deps.context.count("messages_retired", removed);
    if (removed < PIECE) return;
  }
}

/** From the oldest on, up to the first that is young enough. */
async function removeAged(
  deps: ChatDeps,
  tenant: TenantId,
  { latest, before }: { readonly latest: MessageRecord; readonly before: number },
  budget: Budget,
): Promise<void> {
  const { room } = latest;
  while (budget.pieces > 0) {
    budget.pieces--;
    const query = { index: "key", same: { room }, below: latest.seq } as const;
    const oldest = await deps.messages.list(tenant, { ...query, limit: AGED_AT_ONCE });
    const young = oldest.findIndex(({ at }) => at >= before);
    const aged = young < 0 ? oldest.length : young;
    const last = oldest[aged - 1];
    if (last === undefined) return;
    const removed = await deps.messages.removeSome(tenant, {
      ...query,
      below: last.seq + 1,
      limit: aged,
    });
    deps.context.count("messages_retired", removed);
    if (aged < AGED_AT_ONCE) return;
  }
}
