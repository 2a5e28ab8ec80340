// Rooms themselves: made, told of and changed (CT6 to CT8).
import type { ChatAccess, ChatRole, ChatRoom, Json } from "@aldis/protocol";
import { isUserId, refusal } from "../plugins/index.ts";
import type { Actor } from "./actor.ts";
import { writeRoom } from "./birth.ts";
import { accessOf, type RoomRecord } from "./collections.ts";
import { CHAT_NAMESPACE } from "./config.ts";
import type { ChatDeps } from "./deps.ts";
import { emitRoom } from "./emitting.ts";
import { enterExisting, mustBe, type Room, roleIn } from "./enter.ts";
import { addRecord, mustHaveRoomFor } from "./member-records.ts";
import { badRequest, conflict, forbidden } from "./refusals.ts";
import { parseRoomName, type RoomName } from "./room-name.ts";
import { wireRoom } from "./wire.ts";

export type Creation = {
  readonly room?: string | undefined;
  readonly access?: ChatAccess | undefined;
  readonly title?: string | undefined;
  readonly data?: Json | undefined;
  readonly members: readonly { readonly user: string; readonly role: ChatRole }[];
};

const ROOM_ID_BYTES = 16;
const ROOM_DATA_MAX_BYTES = 4_096;
const ATTEMPTS = 10;

export async function createRoom(
  deps: ChatDeps,
  actor: Actor,
  wanted: Creation,
): Promise<ChatRoom> {
  const { context } = deps;
  const text = wanted.room ?? `${CHAT_NAMESPACE}:${context.random.id(ROOM_ID_BYTES)}`;
  const name = parseRoomName(text, context.config);
  if (name === undefined || !mayCreate(actor, name)) throw forbidden();
  const access = wanted.access ?? (name.options.privateRooms ? "private" : "public");
  if (access === "private" && !name.options.privateRooms) throw forbidden();
  if (wanted.members.some(({ user }) => !isUserId(user))) throw badRequest("`members`: no user id");
  checkRoomData(wanted.data);
  const { userId: creator } = actor;
  const owners = [...ownersAtFirst(wanted, creator)];
  const firstMembers = new Set([...owners, ...wanted.members.map(({ user }) => user)]);
  // Attack: somebody who has all the rooms one may have makes more and more that nobody is in.
  const standing = await deps.rooms.get(actor.tenant, { room: name.channel });
  if (standing?.state !== "active") await mustHaveRoomFor(deps, actor.tenant, firstMembers);
  const record = await writeRoom(deps, actor.tenant, name.channel, {
    access,
    owners,
    createdBy: creator ?? "",
    ...(wanted.title !== undefined && { title: wanted.title }),
    ...(wanted.data !== undefined && { data: wanted.data }),
  });
  deps.known.roomChanged(actor.tenant, name.channel);
  if (!isOwn(record, creator, access)) throw conflict("this name is taken");
  const room = { name, actor, record };
  await addFirstMembers(deps, room, wanted);
  const { tenant } = actor;
  if (access === "private") await deps.outsiders.putOut(tenant, name.channel);
  const told = { room: wireRoom(record) };
  const once = `c${record.createdAt}`;
  await deps.publications.publish({
    tenant,
    channel: name.channel,
    event: "chat.room",
    data: told,
    once,
  });
  await emitRoom(deps, tenant, record);
  return wireRoom(record, await roleIn(deps, room));
}

function mayCreate(actor: Actor, { options, channel }: RoomName): boolean {
  if (actor.trusted) return true;
  return !actor.anonymous && options.createRooms === "user" && actor.may("publish", channel);
}

function ownersAtFirst({ members }: Creation, creator: string | undefined): ReadonlySet<string> {
  const named = members.filter(({ role }) => role === "owner").map(({ user }) => user);
  return new Set(creator === undefined ? named : [creator, ...named]);
}

/** Also when it was there already, made by the same one: the answer may have been lost on its way. */
function isOwn(record: RoomRecord, creator: string | undefined, access: ChatAccess): boolean {
  return (
    record.state === "active" && record.createdBy === (creator ?? "") && accessOf(record) === access
  );
}

/** Repeated after a crash it writes those that are missing. */
async function addFirstMembers(deps: ChatDeps, room: Room, { members }: Creation): Promise<void> {
  const { actor, record } = room;
  const roles = new Map(members.map(({ user, role }) => [user, role]));
  for (const owner of record.owners) roles.set(owner, "owner");
  for (const [user, role] of roles) {
    await addRecord(deps, room, { user, role: role === "owner" ? "admin" : role, top: 0 });
    if (user === actor.userId) continue;
    const news = { userId: user, action: "chat_member", data: { room: record.room, user, role } };
    deps.context.users
      .push(actor.tenant, [news])
      .catch(() => deps.context.count("member_push_lost"));
  }
}

export async function readRoom(deps: ChatDeps, actor: Actor, room: string): Promise<ChatRoom> {
  const entered = await enterExisting(deps, actor, room, "subscribe");
  return wireRoom(entered.record, await roleIn(deps, entered));
}

export type RoomChange = {
  readonly room: string;
  /** `null` clears. */
  readonly title?: string | null | undefined;
  readonly data?: Json | undefined;
  readonly version?: number | undefined;
};

export async function updateRoom(
  deps: ChatDeps,
  actor: Actor,
  change: RoomChange,
): Promise<ChatRoom> {
  const entered = await enterExisting(deps, actor, change.room, "subscribe");
  const role = await mustBe(deps, entered, ["owner", "admin"]);
  const { title, data, version } = change;
  checkRoomData(data);
  const key = { room: entered.name.channel };
  for (let i = 0; i < ATTEMPTS; i++) {
    const record = await deps.rooms.get(actor.tenant, key);
    if (record?.state !== "active") throw forbidden();
    if (version !== undefined && record.version !== version) {
      throw conflict("the room has another version by now");
    }
    const changed = await deps.rooms.update(
      actor.tenant,
      key,
      {
        version: record.version + 1,
        ...(title !== undefined && { title: title ?? undefined }),
        ...(data !== undefined && { data: data ?? undefined }),
      },
      { version: { is: record.version }, state: { is: "active" } },
    );
    if (changed === undefined) continue;
    await tellRoom(deps, entered, changed);
    return wireRoom(changed, role);
  }
  throw refusal("unavailable", "too many change this room at once");
}

async function tellRoom(deps: ChatDeps, { actor, name }: Room, record: RoomRecord): Promise<void> {
  deps.known.roomChanged(actor.tenant, name.channel);
  await deps.publications.publish({
    tenant: actor.tenant,
    channel: name.channel,
    event: "chat.room",
    data: { room: wireRoom(record) },
    once: `v${record.version}`,
  });
}

function checkRoomData(data: Json | undefined): void {
  if (data === undefined) return;
  let bytes: number;
  try {
    bytes = Buffer.byteLength(JSON.stringify(data));
  } catch {
    throw badRequest("`data` is nested too deeply");
  }
  if (bytes > ROOM_DATA_MAX_BYTES) {
    throw refusal("too_large", `the data of a room has at most ${ROOM_DATA_MAX_BYTES} bytes`);
  }
}
