// A room's messages in pages (CT15) and searched (CT18): so many calls of the store, whatever the page holds.
import type { ChatHistoryBody, ChatMessage, ChatSearchBody } from "@aldis/protocol";
import { foldText, howManyFit, type Query } from "../plugins/index.ts";
import type { Actor } from "./actor.ts";
import type { MessageRecord } from "./collections.ts";
import type { ChatDeps } from "./deps.ts";
import { enter } from "./enter.ts";
import { badRequest } from "./refusals.ts";
import { wireMessage } from "./wire.ts";

export type Asked = {
  readonly room: string;
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly around?: number | undefined;
  readonly thread?: number | undefined;
  readonly limit: number;
};

type Found = {
  readonly messages: readonly ChatMessage[];
  readonly older: boolean;
  readonly newer: boolean;
};
type Line = Pick<Query<MessageRecord>, "index" | "same">;
type ReadLine = (
  query: Omit<Query<MessageRecord>, "index" | "same">,
) => Promise<readonly ChatMessage[]>;

const NOTHING: Found = { messages: [], older: false, newer: false };

export async function history(
  deps: ChatDeps,
  actor: Actor,
  asked: Asked,
): Promise<ChatHistoryBody> {
  if ([asked.before, asked.after, asked.around].filter((n) => n !== undefined).length > 1) {
    throw badRequest("give one of `before`, `after` and `around`");
  }
  const { name, record } = await enter(deps, actor, asked.room, "history");
  const room = name.channel;
  const line: Line =
    asked.thread === undefined
      ? { index: "key", same: { room } }
      : { index: "replies", same: { room, replyTo: asked.thread } };
  const read: ReadLine = async (query) => {
    const found = await deps.messages.list(actor.tenant, { ...line, ...query });
    return found.map((message) => wireMessage(message, actor.userId));
  };
  const [{ messages, older, newer }, top] =
    record === undefined
      ? [NOTHING, 0]
      : await Promise.all([find(read, asked), topOf(deps, actor, room)]);
  return { room, messages: [...messages], top, older, newer };
}

/** The `seq` of a room's latest message; 0: there is none. */
export async function topOf(deps: ChatDeps, { tenant }: Pick<Actor, "tenant">, room: string) {
  const latest = await latestOf(deps, tenant, room);
  return latest?.seq ?? 0;
}

export async function latestOf(
  { messages }: ChatDeps,
  tenant: Actor["tenant"],
  room: string,
): Promise<MessageRecord | undefined> {
  const query = { index: "key", same: { room }, order: "descending", limit: 1 } as const;
  const [latest] = await messages.list(tenant, query);
  return latest;
}

function find(read: ReadLine, { before, after, around, limit }: Asked): Promise<Found> {
  if (after !== undefined) return findAfter(read, after, limit);
  if (around !== undefined) return findAround(read, around, limit);
  return findBefore(read, before, limit);
}

async function findBefore(read: ReadLine, before: number | undefined, limit: number) {
  const [page, next] = await Promise.all([
    read({ below: before, order: "descending", limit: limit + 1 }),
    before === undefined ? [] : read({ above: before - 1, limit: 1 }),
  ]);
  const messages = fitting(page, limit);
  const older = page.length > messages.length;
  return { messages: messages.reverse(), older, newer: next.length > 0 };
}

async function findAfter(read: ReadLine, after: number, limit: number) {
  const [page, previous] = await Promise.all([
    read({ above: after, limit: limit + 1 }),
    // The greatest number there is has none behind it.
    read({
      below: Math.min(after, Number.MAX_SAFE_INTEGER - 1) + 1,
      order: "descending",
      limit: 1,
    }),
  ]);
  const messages = fitting(page, limit);
  const newer = page.length > messages.length;
  return { messages, older: previous.length > 0, newer };
}

async function findAround(read: ReadLine, around: number, limit: number) {
  const before = Math.floor(limit / 2);
  const from = limit - before;
  const [left, right] = await Promise.all([
    read({ below: around, order: "descending", limit: before + 1 }),
    read({ above: around - 1, limit: from + 1 }),
  ]);
  const [older, newer] = [fitting(left, before), fitting(right, from)];
  return {
    messages: [...older.toReversed(), ...newer],
    older: left.length > older.length,
    newer: right.length > newer.length,
  };
}

/** The first of what was found that a page has room for. */
function fitting(found: readonly ChatMessage[], limit: number): ChatMessage[] {
  const page = found.slice(0, limit);
  return page.slice(0, howManyFit(page));
}

export type Search = {
  readonly room: string;
  readonly q: string;
  readonly before?: number | undefined;
  readonly limit: number;
};

/** What one call looks at: the text of messages has no index. */
const SCAN_MAX = 2_000;

export async function search(deps: ChatDeps, actor: Actor, asked: Search): Promise<ChatSearchBody> {
  const { name, record } = await enter(deps, actor, asked.room, "history");
  const text = foldText(asked.q);
  if (text === "") throw badRequest("`q` has nothing to search for");
  const { tenant } = actor;
  const room = name.channel;
  if (record === undefined) return { room, messages: [] };
  const line = { index: "key", same: { room } } as const;
  const [top, [first]] = await Promise.all([
    topOf(deps, actor, room),
    deps.messages.list(tenant, { ...line, limit: 1 }),
  ]);
  const below = Math.min(asked.before ?? Number.MAX_SAFE_INTEGER, top + 1);
  const above = Math.max(0, below - 1 - SCAN_MAX);
  const found = await deps.messages.list(tenant, {
    ...line,
    above,
    below,
    order: "descending",
    contains: { field: "words", text },
    limit: asked.limit,
  });
  const all = found.map((message) => wireMessage(message, actor.userId));
  const messages = fitting(all, asked.limit);
  const last = messages.at(-1);
  const isCut = all.length === asked.limit || messages.length < all.length;
  const next = isCut && last ? last.seq : above + 1;
  return { room, messages, ...(first && next > first.seq && { next }) };
}
