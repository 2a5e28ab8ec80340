import type { TenantId } from "../plugins/index.ts";
import type { MemberRecord, StoredRole } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import type { Room } from "./enter.ts";
import { overLimit } from "./refusals.ts";

export type Newcomer = {
  readonly user: string;
  readonly role: StoredRole;
  /** All before it is no news to them. */
  readonly top: number;
};

/** Writes somebody down, if they are not; answered with the record that stands. Refuses beyond the ceilings, which several at once may overstep by as many. */
export async function addRecord(
  deps: ChatDeps,
  { actor: { tenant }, name }: Pick<Room, "actor" | "name">,
  { user, role, top }: Newcomer,
): Promise<MemberRecord> {
  const { context, members, known } = deps;
  const { membersMax, roomsPerUserMax } = context.config;
  const room = name.channel;
  const [standing, present, rooms] = await Promise.all([
    members.get(tenant, { room, user }),
    members.count(tenant, { index: "key", same: { room }, limit: membersMax }),
    members.count(tenant, { index: "by_user", same: { user }, limit: roomsPerUserMax }),
  ]);
  if (standing !== undefined) return standing;
  if (present >= membersMax) throw overLimit("the room has too many members");
  if (rooms >= roomsPerUserMax) throw overLimit("too many rooms");
  const since = context.clock.nowMs();
  const { record } = await members.insert(tenant, {
    ...{ room, user, role, since },
    ...{ read: top, delivered: top },
  });
  known.memberChanged(tenant, room, user);
  return record;
}

/** Refuses when one of these users, who are to be together in a new room, is in too many, or they are too many themselves. */
export async function mustHaveRoomFor(
  { context, members }: ChatDeps,
  tenant: TenantId,
  users: ReadonlySet<string>,
): Promise<void> {
  const { membersMax, roomsPerUserMax: limit } = context.config;
  if (users.size > membersMax) throw overLimit("the room has too many members");
  const counts = await Promise.all(
    [...users].map((user) => members.count(tenant, { index: "by_user", same: { user }, limit })),
  );
  if (counts.some((rooms) => rooms >= limit)) throw overLimit("too many rooms");
}
