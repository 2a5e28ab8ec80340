import type { ChannelName } from "@aldis/protocol";
import type { TenantId } from "../plugins/index.ts";
import { accessOf, type RoomRecord } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import { type Entered, isUnborn, type Room } from "./enter.ts";
import { forbidden } from "./refusals.ts";

export type NewRoom = Pick<RoomRecord, "access" | "createdBy" | "owners"> &
  Partial<Pick<RoomRecord, "title" | "data">>;

/**
 * Makes the record of a room. Of several at once one does; all are answered with the one that stands, which may be another's, private, or about to be removed.
 */
export async function writeRoom(
  deps: ChatDeps,
  tenant: TenantId,
  channel: ChannelName,
  fresh: NewRoom,
): Promise<RoomRecord> {
  const nowMs = deps.context.clock.nowMs();
  const record: RoomRecord = {
    room: channel,
    state: "active",
    createdAt: nowMs,
    activeAt: nowMs,
    version: 1,
    top: 0,
    ...fresh,
  };
  const { record: standing } = await deps.rooms.insert(tenant, record);
  const isFree = standing.state === "deleted" && accessOf(standing) === "public";
  if (!isFree || fresh.access !== "public") return standing;
  // Its messages go on counting, so nobody who was there takes a new one for an old one.
  const { room: _, top: __, ...change } = record;
  const revived = await deps.rooms.update(
    tenant,
    { room: channel },
    { ...change, version: standing.version + 1, title: fresh.title, data: fresh.data },
    { state: { is: "deleted" }, version: { is: standing.version } },
  );
  return revived ?? (await deps.rooms.get(tenant, { room: channel })) ?? standing;
}

/** The room is there from now on: CT4. */
export async function bear(deps: ChatDeps, entered: Entered): Promise<Room> {
  const { name, actor, record } = entered;
  if (record !== undefined) return { ...entered, record };
  const fresh = { access: "public", createdBy: "", owners: [] };
  const born = await writeRoom(deps, actor.tenant, name.channel, fresh);
  deps.known.roomChanged(actor.tenant, name.channel);
  // Somebody may have taken the name for a private room at the same moment.
  const isOpen = born.state === "active" && accessOf(born) === "public";
  if (!isOpen || !isUnborn(name, undefined)) throw forbidden();
  return { ...entered, record: born };
}
