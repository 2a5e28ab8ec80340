// How far people are in rooms (CT19, CT20, CT22).
import type { ChatMarksBody, ChatReceiptsBody } from "@aldis/protocol";
import { refusal } from "../plugins/index.ts";
import type { Actor } from "./actor.ts";
import { accessOf, type MemberRecord } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import { enter, enterExisting, personOf, type Room } from "./enter.ts";
import { addRecord } from "./member-records.ts";
import { topOf } from "./pages.ts";
import { forbidden } from "./refusals.ts";

export type Marking = {
  readonly room: string;
  readonly read?: number | undefined;
  readonly delivered?: number | undefined;
};

const ATTEMPTS = 10;
const UNREAD_MAX = 100;
/** Among so many of the latest messages unread ones are looked for: somebody may have said a million since. */
const UNREAD_RANGE = 1_000;

export async function mark(deps: ChatDeps, actor: Actor, marking: Marking): Promise<ChatMarksBody> {
  const entered = await enter(deps, actor, marking.room, "subscribe");
  const user = personOf(actor);
  const { name, record } = entered;
  const room = name.channel;
  if (record === undefined) return { room, read: 0, delivered: 0, unread: 0 };
  const [top, former] = await Promise.all([
    topOf(deps, actor, room),
    deps.members.get(actor.tenant, { room, user }),
  ]);
  const wanted = {
    read: Math.min(marking.read ?? 0, top),
    delivered: Math.min(marking.delivered ?? 0, top),
  };
  const { changed, standing } = await moveForward(deps, { ...entered, record }, former, wanted);
  const { read, delivered } = standing;
  const unread = await unreadOf(deps, actor.tenant, { room, user, read, top });
  const marks = { room, read, delivered, unread };
  if (changed) deps.news.note(actor.tenant, room, { user, marks, receipts: name.options.receipts });
  return marks;
}

type Marks = Pick<MemberRecord, "read" | "delivered">;

async function moveForward(
  deps: ChatDeps,
  entered: Room,
  former: MemberRecord | undefined,
  wanted: Marks,
): Promise<{ readonly changed: boolean; readonly standing: Marks }> {
  const { tenant } = entered.actor;
  const user = personOf(entered.actor);
  let standing = former;
  for (let i = 0; i < ATTEMPTS; i++) {
    if (standing === undefined) {
      if (wanted.read + wanted.delivered === 0) return { changed: false, standing: wanted };
      standing = await addMarks(deps, entered, user);
    }
    const read = Math.max(standing.read, wanted.read);
    const delivered = Math.max(standing.delivered, wanted.delivered, read);
    if (read === standing.read && delivered === standing.delivered) {
      return { changed: false, standing };
    }
    const key = { room: standing.room, user };
    const same = { read: { is: standing.read }, delivered: { is: standing.delivered } };
    const moved = await deps.members.update(tenant, key, { read, delivered }, same);
    if (moved !== undefined) return { changed: true, standing: moved };
    standing = await deps.members.get(tenant, key);
  }
  throw refusal("unavailable", "these marks are being changed elsewhere");
}

/** Somebody who has not joined a public room; or an owner whose record was never written, since a node died. */
async function addMarks(deps: ChatDeps, entered: Room, user: string): Promise<MemberRecord> {
  const isOwner = entered.record.owners.includes(user);
  // Removed a moment ago, or named by a backend without being a member: a mark makes nobody one.
  if (!isOwner && accessOf(entered.record) === "private") throw forbidden();
  return addRecord(deps, entered, { user, role: isOwner ? "admin" : "guest", top: 0 });
}

/** CT20. */
export function unreadOf(
  { messages }: ChatDeps,
  tenant: Actor["tenant"],
  { room, user, read, top }: { room: string; user: string; read: number; top: number },
): Promise<number> {
  if (read >= top) return Promise.resolve(0);
  return messages.count(tenant, {
    index: "key",
    same: { room },
    above: Math.max(read, top - UNREAD_RANGE),
    where: { sender: { not: user }, deletedAt: { is: undefined } },
    limit: UNREAD_MAX,
  });
}

export type PageOfRoom = {
  readonly room: string;
  readonly limit: number;
  readonly cursor?: string | undefined;
};

export async function receipts(
  deps: ChatDeps,
  actor: Actor,
  { room, limit, cursor }: PageOfRoom,
): Promise<ChatReceiptsBody> {
  const { name } = await enterExisting(deps, actor, room, "history");
  if (!name.options.receipts && !actor.trusted) throw forbidden();
  const page = await membersAfter(deps, actor, { room: name.channel, limit, cursor });
  return {
    room: name.channel,
    receipts: page.records.map(({ user, read, delivered }) => ({ user, read, delivered })),
    ...page.next,
  };
}

/** Those of a room in order of user id. The cursor is the last one's id: what it is compared with is of this room alone. */
export async function membersAfter(
  { members }: ChatDeps,
  { tenant }: Actor,
  { room, limit, cursor }: PageOfRoom,
): Promise<{ readonly records: readonly MemberRecord[]; readonly next: { next?: string } }> {
  const found = await members.list(tenant, {
    index: "key",
    same: { room },
    above: cursor,
    limit: limit + 1,
  });
  const records = found.slice(0, limit);
  const last = records.at(-1);
  return { records, next: found.length > limit && last ? { next: last.user } : {} };
}
