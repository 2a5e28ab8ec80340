// Coming, going, and what others make of one (CT10 to CT12).
import type {
  ChannelName,
  ChatMemberPush,
  ChatMembersBody,
  ChatRole,
  ChatRoom,
} from "@aldis/protocol";
import { isUserId, refusal, type TenantId } from "../plugins/index.ts";
import type { Actor } from "./actor.ts";
import { bear } from "./birth.ts";
import { accessOf, type MemberRecord, type RoomRecord, type StoredRole } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import { enter, enterExisting, mustBe, personOf, type Room } from "./enter.ts";
import { membersAfter, type PageOfRoom } from "./marks.ts";
import { addRecord } from "./member-records.ts";
import { topOf } from "./pages.ts";
import { badRequest, conflict, forbidden, overLimit } from "./refusals.ts";
import { roleOf, wireRoom } from "./wire.ts";

const OWNERS_MAX = 20;
const ATTEMPTS = 10;

export type Membership = { readonly room: string; readonly user: string };

export async function join(deps: ChatDeps, actor: Actor, room: string): Promise<ChatRoom> {
  const user = personOf(actor);
  const entered = await bear(deps, await enter(deps, actor, room, "subscribe"));
  const { record, name } = entered;
  const key = { room: name.channel, user };
  const former = await deps.members.get(actor.tenant, key);
  const role = roleOf(record, user, former);
  if (role !== undefined) return wireRoom(record, role);
  // A backend brings somebody into a private room by `chat_set_member` alone.
  if (accessOf(record) === "private") throw forbidden();
  if (former === undefined) await addMember(deps, entered, user, "member");
  else await promote(deps, entered, user, "member");
  return wireRoom(record, "member");
}

async function addMember(deps: ChatDeps, entered: Room, user: string, role: StoredRole) {
  const top = await topOf(deps, entered.actor, entered.name.channel);
  const standing = await addRecord(deps, entered, { user, role, top });
  if (standing.role !== role) await promote(deps, entered, user, role);
}

async function promote(deps: ChatDeps, { actor, name }: Room, user: string, role: StoredRole) {
  await deps.members.update(actor.tenant, { room: name.channel, user }, { role });
  deps.known.memberChanged(actor.tenant, name.channel, user);
}

export async function leave(deps: ChatDeps, actor: Actor, room: string): Promise<{ room: string }> {
  const user = personOf(actor);
  const entered = await enterExisting(deps, actor, room, "subscribe");
  await takeOut(deps, entered, user);
  return { room: entered.name.channel };
}

/** Out of the owners first: a room without one cannot come about, and what is left undone repeating does. */
async function takeOut(deps: ChatDeps, entered: Room, user: string): Promise<void> {
  const { actor, name } = entered;
  await changeOwners(deps, entered, user, "out");
  const gone = await deps.members.remove(actor.tenant, { room: name.channel, user });
  deps.known.memberChanged(actor.tenant, name.channel, user);
  const isPrivate = accessOf(entered.record) === "private";
  if (isPrivate) putOut(deps, actor.tenant, name.channel, user);
  if (!gone) return;
  const news = { room: name.channel, user };
  pushMember(deps, entered, news);
  // Who is there, in public rooms, presence tells; people come and go there too often for the channel's history.
  if (isPrivate) await publishMember(deps, entered, news);
}

/**
 * Ends subscriptions to a private room, and once more when no node can take the person for a member any longer: one may have been asked
 * in between, or not have heard of it.
 */
function putOut(deps: ChatDeps, tenant: TenantId, channel: ChannelName, user: string): void {
  const { users, clock, config, count } = deps.context;
  const lost = () => count("unsubscribe_lost");
  users.unsubscribe(tenant, user, channel).catch(lost);
  clock.setTimer(2 * config.cacheMs, () => {
    deps.members
      .get(tenant, { room: channel, user })
      .then(async (record) => {
        if (record === undefined) await users.unsubscribe(tenant, user, channel);
      })
      .catch(lost);
  });
}

export type Giving = Membership & { readonly role: ChatRole };

export async function setMember(
  deps: ChatDeps,
  actor: Actor,
  { room, user, role }: Giving,
): Promise<{ room: string; user: string; role: ChatRole }> {
  const entered = await enterExisting(deps, actor, room, "subscribe");
  const own = await mustBe(deps, entered, ["owner", "admin"]);
  if (!isUserId(user)) throw badRequest("`user` is no user id");
  const { tenant } = actor;
  const channel = entered.name.channel;
  const former = await deps.members.get(tenant, { room: channel, user });
  const standing = roleOf(entered.record, user, former);
  const mayGive = own === "owner" || actor.trusted;
  if (!mayGive && (role !== "member" || (standing ?? "member") !== "member")) throw forbidden();
  if (standing === role) return { room: channel, user, role };
  await writeRole(deps, entered, { user, role, former });
  const news = { room: channel, user, role };
  pushMember(deps, entered, news);
  await publishMember(deps, entered, news);
  return news;
}

async function writeRole(
  deps: ChatDeps,
  entered: Room,
  change: { user: string; role: ChatRole; former: MemberRecord | undefined },
): Promise<void> {
  const { user, role, former } = change;
  const beneath = role === "owner" ? "admin" : role;
  if (former === undefined) await addMember(deps, entered, user, beneath);
  else if (former.role !== beneath) await promote(deps, entered, user, beneath);
  await changeOwners(deps, entered, user, role === "owner" ? "in" : "out");
}

/** The last owner stays one: decided in one record, whatever others do at the same moment. */
async function changeOwners(
  { rooms, known }: ChatDeps,
  { actor, name }: Room,
  user: string,
  way: "in" | "out",
): Promise<void> {
  const key = { room: name.channel };
  for (let i = 0; i < ATTEMPTS; i++) {
    const record = await rooms.get(actor.tenant, key);
    if (record?.state !== "active") throw forbidden();
    const owners = ownersAfter(record, user, way);
    if (owners === undefined) return;
    const { version } = record;
    const change = { owners, version: version + 1 };
    const done = await rooms.update(actor.tenant, key, change, {
      version: { is: version },
      state: { is: "active" },
    });
    if (done === undefined) continue;
    known.roomChanged(actor.tenant, name.channel);
    return;
  }
  throw refusal("unavailable", "too many change this room at once");
}

/** Undefined: they are it. */
function ownersAfter({ owners }: RoomRecord, user: string, way: "in" | "out") {
  if (owners.includes(user) === (way === "in")) return undefined;
  if (way === "in") {
    if (owners.length >= OWNERS_MAX) throw overLimit("the room has too many owners");
    return [...owners, user];
  }
  if (owners.length === 1) throw conflict("the last owner: make somebody else one first");
  return owners.filter((other) => other !== user);
}

export async function removeMember(
  deps: ChatDeps,
  actor: Actor,
  { room, user }: Membership,
): Promise<Membership> {
  const entered = await enterExisting(deps, actor, room, "subscribe");
  const own = await mustBe(deps, entered, ["owner", "admin"]);
  const { tenant } = actor;
  const channel = entered.name.channel;
  if (!isUserId(user)) return { room: channel, user };
  const former = await deps.members.get(tenant, { room: channel, user });
  const standing = roleOf(entered.record, user, former);
  if (own !== "owner" && !actor.trusted && (standing ?? "member") !== "member") throw forbidden();
  if (former !== undefined || standing !== undefined) await takeOut(deps, entered, user);
  return { room: channel, user };
}

export async function members(
  deps: ChatDeps,
  actor: Actor,
  asked: PageOfRoom,
): Promise<ChatMembersBody> {
  const { name, record } = await enterExisting(deps, actor, asked.room, "subscribe");
  const room = name.channel;
  const { records, next } = await membersAfter(deps, actor, { ...asked, room });
  const listed = records.flatMap((member) => {
    const role = roleOf(record, member.user, member);
    return role === undefined ? [] : [{ user: member.user, role, since: member.since }];
  });
  return { room, members: listed, ...next };
}

/** CT27: to the one whom it concerns, unless they did it themselves. */
function pushMember(
  { context }: ChatDeps,
  { actor }: Pick<Room, "actor">,
  news: ChatMemberPush,
): void {
  if (news.user === actor.userId && !actor.trusted) return;
  const push = { userId: news.user, action: "chat_member", data: news };
  context.users.push(actor.tenant, [push]).catch(() => context.count("member_push_lost"));
}

/** CT23. */
function publishMember(
  { publications }: ChatDeps,
  { actor, name }: Pick<Room, "actor" | "name">,
  news: ChatMemberPush,
): Promise<void> {
  const { channel } = name;
  const { tenant } = actor;
  return publications.publish({
    tenant,
    channel,
    event: "chat.member",
    data: news,
    once: undefined,
  });
}
