// Who may do what in which room: asked before anything else is (CT2 to CT5).
import type { ChatRole } from "@aldis/protocol";
import type { Right } from "../plugins/index.ts";
import type { Actor } from "./actor.ts";
import { accessOf, type RoomRecord } from "./collections.ts";
import { autoCreates } from "./config.ts";
import type { ChatDeps } from "./deps.ts";
import { forbidden } from "./refusals.ts";
import { parseRoomName, type RoomName } from "./room-name.ts";
import { roleOf } from "./wire.ts";

/** A room that somebody may use. */
export type Entered = {
  readonly name: RoomName;
  readonly actor: Actor;
  /** Undefined: nobody has said anything in it yet, see CT4. */
  readonly record: RoomRecord | undefined;
};

/** A room that is there. */
export type Room = Entered & { readonly record: RoomRecord };

/** Whether the name stands for an empty public room: there is nothing to know of it. */
export function isUnborn(name: RoomName, record: RoomRecord | undefined): boolean {
  if (!autoCreates(name.namespace, name.options)) return false;
  return record === undefined || (record.state === "deleted" && accessOf(record) === "public");
}

/** Refuses with the one answer of CT3 who may not use the room so. In the same turn as far as the room is known. */
export async function enter(
  deps: ChatDeps,
  actor: Actor,
  room: string,
  right: Right,
): Promise<Entered> {
  const name = parseRoomName(room, deps.context.config);
  if (name === undefined || !actor.may(right, name.channel)) throw forbidden();
  const found = deps.known.room(actor.tenant, name.channel);
  const record = found instanceof Promise ? await found : found;
  if (record?.state !== "active") {
    if (isUnborn(name, record)) return { name, actor, record: undefined };
    throw forbidden();
  }
  const entered = { name, actor, record };
  if (accessOf(record) === "private" && !actor.trusted) {
    if ((await roleIn(deps, entered)) === undefined) throw forbidden();
  }
  return entered;
}

/** The same, of a room that is there. */
export async function enterExisting(
  deps: ChatDeps,
  actor: Actor,
  room: string,
  right: Right,
): Promise<Room> {
  const { name, record } = await enter(deps, actor, room, right);
  if (record === undefined) throw forbidden();
  return { name, actor, record };
}

/** The actor's part in a room; undefined: none. */
export async function roleIn(
  deps: ChatDeps,
  { name, actor, record }: Room,
): Promise<ChatRole | undefined> {
  const { tenant, userId } = actor;
  if (userId === undefined) return undefined;
  if (record.owners.includes(userId)) return "owner";
  const found = deps.known.member(tenant, name.channel, userId);
  return roleOf(record, userId, found instanceof Promise ? await found : found);
}

/** Refuses who is neither a backend nor has one of these roles. */
export async function mustBe(
  deps: ChatDeps,
  room: Room,
  roles: readonly ChatRole[],
): Promise<ChatRole | undefined> {
  const role = await roleIn(deps, room);
  if (room.actor.trusted || (role !== undefined && roles.includes(role))) return role;
  throw forbidden();
}

/** Who something is kept for. */
export function personOf(actor: Actor): string {
  if (actor.userId === undefined || actor.anonymous) throw forbidden();
  return actor.userId;
}
