/**
 * Chat against a plain model, with any order of sends, repeats, edits, deletions, reactions and marks by several people on two nodes. fast-check
 * prints the seed of a failure; run it again with `fc.assert(…, { seed, path })`.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ChatMessage } from "@aldis/protocol";
import fc from "fast-check";
import { foldText } from "../../plugins/index.ts";
import type { Actor } from "../actor.ts";
import { edit, react, remove } from "../change.ts";
import type { ChatDeps } from "../deps.ts";
import { mark } from "../marks.ts";
import { ownRooms } from "../own-rooms.ts";
import { history, search } from "../pages.ts";
import { send } from "../send.ts";
import { codeOf, type LoneChat } from "./lone-chat.ts";

const USERS = ["ann", "ben", "eve"] as const;
const EMOJI = ["👍", "🎉"] as const;
const WORDS = [
  "Ärger",
  "straße",
  "ok",
  "a\u0000b",
  "\ud800",
  "🏳️‍🌈",
  "100%_x",
  "'; DROP TABLE",
] as const;

type Said = {
  sender: string;
  text: string;
  key: string | undefined;
  version: number;
  edited: boolean;
  deleted: boolean;
  reactions: Map<string, string[]>;
};

class Model {
  readonly said: Said[] = [];
  readonly marks = new Map<string, { read: number; delivered: number }>();

  at(seq: number): Said | undefined {
    return this.said[seq - 1];
  }

  unread(user: string): number {
    const { read } = this.marks.get(user) ?? { read: 0 };
    const theirs = this.said.filter((one, i) => i >= read && one.sender !== user && !one.deleted);
    return Math.min(100, theirs.length);
  }

  /** What `reader` sees of a message. */
  view(seq: number, reader: string): object {
    const one = this.at(seq);
    if (one === undefined) throw new Error("nothing there");
    const { sender: id, version } = one;
    if (one.deleted) return { seq, from: { id }, version, deleted: true };
    const reactions = [...one.reactions].map(([emoji, users]) => ({
      emoji,
      count: users.length,
      ...(users.includes(reader) && { own: true }),
    }));
    const { text, edited } = one;
    return { seq, from: { id }, version, text, edited, reactions };
  }
}

function seen({
  seq,
  from,
  version,
  text,
  editedAt,
  deletedAt,
  reactions = [],
}: ChatMessage): object {
  if (deletedAt !== undefined) {
    expect([text, reactions]).toEqual([undefined, []]);
    return { seq, from, version, deleted: true };
  }
  return { seq, from, version, text, edited: editedAt !== undefined, reactions };
}

const user = fc.constantFrom(...USERS);
const words = fc
  .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 })
  .map((list) => list.join(" "));
const seq = fc.integer({ min: 1, max: 8 });
const node = fc.constantFrom(0, 1);
const base = { user, node };
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("send" as const),
      ...base,
      text: words,
      key: fc.option(fc.constantFrom("k1", "k2"), { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("edit" as const),
      ...base,
      seq,
      text: words,
      version: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("delete" as const), ...base, seq }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("react" as const),
      ...base,
      seq,
      emoji: fc.constantFrom(...EMOJI),
      on: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("mark" as const),
      ...base,
      read: fc.integer({ min: 0, max: 16 }),
      delivered: fc.integer({ min: 0, max: 16 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("page" as const),
      ...base,
      bound: fc.constantFrom("before", "after", "around", "none"),
      n: fc.integer({ min: 0, max: 16 }),
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("search" as const),
      ...base,
      q: fc.constantFrom("arger", "STRASSE", "%", "_", "'", "🏳️‍🌈", "drop table"),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

function pageOf(model: Model, one: Step & { do: "page" }): number[] {
  const all = model.said.map((_, i) => i + 1);
  const { n, limit } = one;
  switch (one.bound) {
    case "before":
      return all.filter((s) => s < n).slice(-limit);
    case "after":
      return all.filter((s) => s > n).slice(0, limit);
    case "around": {
      const left = Math.floor(limit / 2);
      const before = all.filter((s) => s < n);
      return [
        ...before.slice(Math.max(0, before.length - left)),
        ...all.filter((s) => s >= n).slice(0, limit - left),
      ];
    }
    default:
      return all.slice(-limit);
  }
}

type Run = {
  readonly model: Model;
  readonly room: string;
  readonly who: Actor;
  readonly deps: ChatDeps;
};
type Of<D extends Step["do"]> = Step & { readonly do: D };

async function playSend({ model, room, who, deps }: Run, one: Of<"send">): Promise<void> {
  const first =
    one.key === undefined
      ? -1
      : model.said.findIndex((s) => s.key === one.key && s.sender === one.user);
  const answer = await send(deps, who, { room, text: one.text, idempotencyKey: one.key });
  if (first >= 0) {
    expect(answer).toMatchObject({ seq: first + 1, duplicate: true });
    return;
  }
  model.said.push({
    sender: one.user,
    text: one.text,
    key: one.key,
    version: 1,
    edited: false,
    deleted: false,
    reactions: new Map(),
  });
  expect(answer).toMatchObject({ seq: model.said.length, id: `${room}/${model.said.length}` });
  expect(answer.duplicate).toBeUndefined();
}

async function playEdit({ model, room, who, deps }: Run, one: Of<"edit">): Promise<void> {
  const standing = model.at(one.seq);
  const code = await codeOf(
    edit(deps, who, { room, seq: one.seq, text: one.text, version: one.version }),
  );
  if (standing === undefined) return expect(code).toBe("not_found");
  if (standing.sender !== one.user) return expect(code).toBe("forbidden");
  if (standing.deleted || (one.version ?? standing.version) !== standing.version)
    return expect(code).toBe("conflict");
  expect(code).toBe("done");
  Object.assign(standing, { text: one.text, version: standing.version + 1, edited: true });
}

async function playDelete({ model, room, who, deps }: Run, one: Of<"delete">): Promise<void> {
  const standing = model.at(one.seq);
  const code = await codeOf(remove(deps, who, { room, seq: one.seq }));
  if (standing === undefined) return expect(code).toBe("not_found");
  if (standing.sender !== one.user) return expect(code).toBe("forbidden");
  expect(code).toBe("done");
  if (!standing.deleted) Object.assign(standing, { deleted: true, version: standing.version + 1 });
}

async function playReact({ model, room, who, deps }: Run, one: Of<"react">): Promise<void> {
  const standing = model.at(one.seq);
  const code = await codeOf(react(deps, who, { room, seq: one.seq, emoji: one.emoji, on: one.on }));
  if (standing === undefined) return expect(code).toBe("not_found");
  if (standing.deleted) return expect(code).toBe("conflict");
  expect(code).toBe("done");
  const users = (standing.reactions.get(one.emoji) ?? []).filter((u) => u !== one.user || one.on);
  if (one.on && !users.includes(one.user)) users.push(one.user);
  if (users.length === 0) standing.reactions.delete(one.emoji);
  else standing.reactions.set(one.emoji, users);
}

async function playMark({ model, room, who, deps }: Run, one: Of<"mark">): Promise<void> {
  const top = model.said.length;
  const former = model.marks.get(one.user) ?? { read: 0, delivered: 0 };
  const read = Math.max(former.read, Math.min(one.read, top));
  const delivered = Math.max(former.delivered, Math.min(one.delivered, top), read);
  if (read + delivered > 0) model.marks.set(one.user, { read, delivered });
  const told = await mark(deps, who, { room, read: one.read, delivered: one.delivered });
  expect(told).toEqual({ room, read, delivered, unread: model.unread(one.user) });
}

async function playPage({ model, room, who, deps }: Run, one: Of<"page">): Promise<void> {
  const bound = one.bound === "none" ? {} : { [one.bound]: one.n };
  const page = await history(deps, who, { room, limit: one.limit, ...bound });
  const seqs = pageOf(model, one);
  expect(page.messages.map(seen)).toEqual(seqs.map((s) => model.view(s, one.user)));
  expect(page.top).toBe(model.said.length);
  const [first, last] = [seqs[0], seqs.at(-1)];
  if (first !== undefined && last !== undefined) {
    expect([page.older, page.newer]).toEqual([first > 1, last < model.said.length]);
  }
}

async function playSearch({ model, room, who, deps }: Run, one: Of<"search">): Promise<void> {
  const found = await search(deps, who, { room, q: one.q, limit: 20 });
  const hits = model.said.flatMap((s, i) =>
    !s.deleted && foldText(s.text).includes(foldText(one.q)) ? [i + 1] : [],
  );
  expect(found.messages.map(({ seq: at }) => at)).toEqual(hits.reverse().slice(0, 20));
}

function play(run: Run, one: Step): Promise<void> {
  switch (one.do) {
    case "send":
      return playSend(run, one);
    case "edit":
      return playEdit(run, one);
    case "delete":
      return playDelete(run, one);
    case "react":
      return playReact(run, one);
    case "mark":
      return playMark(run, one);
    case "page":
      return playPage(run, one);
    case "search":
      return playSearch(run, one);
    default:
      return one satisfies never;
  }
}

/** Called once for each kind of database. */
export function chatModelTest(kind: string, open: () => Promise<LoneChat>, numRuns: number): void {
  let chat: LoneChat;
  let rooms = 0;
  beforeAll(async () => {
    chat = await open();
  });
  afterAll(() => chat[Symbol.asyncDispose]());

  test(`[CT13] [CT15] [CT16] [CT17] [CT18] [CT19] [CT20] whatever is done in whatever order, all sees what the model says, on ${kind}`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 60, size: "max" }),
        async (steps) => {
          const room = `chat:p${++rooms}`;
          const model = new Model();
          for (const one of steps) {
            const deps = chat.nodes[one.node]?.deps ?? chat.deps;
            await play({ model, room, who: chat.user(one.user), deps }, one);
          }
          for (const name of USERS) {
            const page = await history(chat.deps, chat.user(name), { room, limit: 200 });
            expect(page.messages.map(seen)).toEqual(
              model.said.map((_, i) => model.view(i + 1, name)),
            );
            const { rooms: mine } = await ownRooms(chat.deps, chat.user(name), { limit: 50 });
            const listed = mine.find((one) => one.room === room);
            expect(listed?.unread).toEqual(model.marks.has(name) ? model.unread(name) : undefined);
          }
        },
      ),
      { numRuns },
    );
  });
}
