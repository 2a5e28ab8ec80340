import { describe, expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import { Unavailable } from "../plugins/index.ts";
import { edit, react, remove } from "./change.ts";
import { mark, receipts } from "./marks.ts";
import { join } from "./membership.ts";
import { history, search } from "./pages.ts";
import { createRoom } from "./rooms.ts";
import { send } from "./send.ts";
import { codeOf, type LoneChat, openLoneChat } from "./test/lone-chat.ts";
import { createUpkeep } from "./upkeep.ts";

const room = "chat:hall";

async function say(chat: LoneChat, count: number, who = "ann") {
  for (let i = 0; i < count; i++)
    await send(chat.deps, chat.user(who), { room, text: `m${i + 1}` });
}

const seqs = ({ messages }: { messages: readonly { seq: number }[] }) =>
  messages.map(({ seq }) => seq);

describe("[CT14] sending", () => {
  test("faults 21: the same idempotency key on two nodes at once is one message, published once", async () => {
    await using chat = await openLoneChat({ nodes: 2 });
    const asked = chat.nodes.flatMap(({ deps }) =>
      Array.from({ length: 5 }, (_, i) =>
        send(deps, chat.user("ann"), { room, text: `t${i}`, idempotencyKey: "k" }),
      ),
    );
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ seq }) => seq))).toEqual(new Set([1]));
    expect(answers.filter(({ duplicate }) => duplicate !== true)).toHaveLength(1);
    expect(chat.published).toHaveLength(1);
  });

  test("faults 21: a node that died between the commit and the publication: the repeat publishes it, once", async () => {
    await using chat = await openLoneChat({ nodes: 2 });
    const { deps } = chat;
    const ann = chat.user("ann");
    const crash = new Error("killed");
    const dying = { ...deps, publications: { publish: () => Promise.reject(crash), close() {} } };
    const saying = { room, text: "hi", idempotencyKey: "k" };
    expect(await send(dying, ann, saying).catch((error: unknown) => error)).toBe(crash);
    expect(chat.published).toEqual([]);
    for (const node of chat.nodes) {
      expect(await send(node.deps, ann, saying)).toMatchObject({ seq: 1, duplicate: true });
    }
    expect(chat.published.map(({ data }) => data)).toMatchObject([{ message: { seq: 1 } }]);
  });

  test("P4 [WH24] what is not kept by who hears of it is not acknowledged; the repeat emits it again, the same", async () => {
    await using chat = await openLoneChat();
    const { deps, events } = chat;
    const ann = chat.user("ann");
    const saying = { room, text: "hi", idempotencyKey: "k" };
    events.away = true;
    const refused: unknown = await send(deps, ann, saying).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Unavailable);
    events.away = false;
    for (let n = 0; n < 2; n++) await send(deps, ann, saying);
    await edit(deps, ann, { room, seq: 1, text: "ho" });
    await send(deps, ann, saying);
    await remove(deps, ann, { room, seq: 1 });
    await remove(deps, ann, { room, seq: 1 });
    await send(deps, ann, saying);
    await createRoom(deps, chat.backend(), { room: "chat:new", access: "public", members: [] });
    expect(chat.published.filter(({ event }) => event === "chat.message")).toHaveLength(1);
    expect(events.emitted.map(({ type, id }) => `${type} ${id}`)).toEqual(
      [
        ...Array.from({ length: 3 }, () => "chat.message 1.1:chat:hall"),
        "chat.deleted 1.3:chat:hall",
        "chat.deleted 1.3:chat:hall",
        `chat.room_created ${chat.clock.nowMs()}:chat:new`,
      ].toSpliced(2, 0, "chat.edited 1.2:chat:hall"),
    );
    expect(events.emitted[0]?.data).toMatchObject({
      channel: room,
      message: { room, seq: 1, text: "hi", from: { id: "ann" } },
    });
  });

  test("what was deleted, or said long ago, is not published again by a repeat", async () => {
    await using chat = await openLoneChat();
    const ann = chat.user("ann");
    const saying = { room, text: "secret", idempotencyKey: "k" };
    await send(chat.deps, ann, saying);
    await remove(chat.deps, ann, { room, seq: 1 });
    chat.broker.tried = 0;
    expect(await send(chat.deps, ann, saying)).toMatchObject({ seq: 1, duplicate: true });
    await send(chat.deps, ann, { room, text: "old", idempotencyKey: "l" });
    chat.clock.advance(240_000);
    await send(chat.deps, ann, { room, text: "old", idempotencyKey: "l" });
    expect(chat.broker.tried).toBe(1);
  });

  test("`replyTo` is a message of the room, and a thread lists the replies", async () => {
    await using chat = await openLoneChat();
    await say(chat, 3);
    const reply = (replyTo: number) =>
      send(chat.deps, chat.user("ben"), { room, text: "re", replyTo });
    expect(await codeOf(reply(9))).toBe("not_found");
    for (const to of [1, 2, 1, 1]) await reply(to);
    const thread = await history(chat.deps, chat.user("ann"), { room, thread: 1, limit: 2 });
    expect([seqs(thread), thread.older, thread.newer]).toEqual([[6, 7], true, false]);
  });

  test("what has nothing in it, or too much, is refused and costs no number", async () => {
    await using chat = await openLoneChat({
      config: { namespaces: { chat: { messageMaxBytes: 100 } } },
    });
    const of = (content: object) => codeOf(send(chat.deps, chat.user("ann"), { room, ...content }));
    expect(await of({})).toBe("bad_request");
    expect(await of({ text: "x".repeat(98) })).toBe("done");
    expect(await of({ text: "x".repeat(99) })).toBe("too_large");
    // Bytes as JSON, not characters.
    expect(await of({ text: "é".repeat(50) })).toBe("too_large");
    expect(await of({ text: "x".repeat(50), data: "y".repeat(50) })).toBe("too_large");
    expect(await of({ data: null })).toBe("done");
    expect((await history(chat.deps, chat.user("ann"), { room, limit: 5 })).top).toBe(2);
  });
});

describe("[CT16] a message later", () => {
  test("is edited by its version, by one of two at once", async () => {
    await using chat = await openLoneChat({ nodes: 2 });
    await say(chat, 1);
    const ann = chat.user("ann");
    const codes = await Promise.all(
      chat.nodes.map(({ deps }, i) =>
        codeOf(edit(deps, ann, { room, seq: 1, text: `e${i}`, version: 1 })),
      ),
    );
    expect(codes.sort()).toEqual(["conflict", "done"]);
    expect(chat.published.filter(({ event }) => event === "chat.edited")).toHaveLength(1);
  });

  test("is deleted by who said it, an admin, or a backend, and its words are nowhere any more", async () => {
    await using chat = await openLoneChat();
    const { deps } = chat;
    const [ann, ben, eve] = [chat.user("ann"), chat.user("ben"), chat.user("eve")];
    await createRoom(deps, ann, {
      room,
      access: "public",
      members: [{ user: "ben", role: "admin" }],
    });
    for (const text of ["secret one", "secret two", "secret three"])
      await send(deps, eve, { room, text });
    await react(deps, ann, { room, seq: 1, emoji: "👍", on: true });
    expect(await codeOf(remove(deps, chat.user("uma"), { room, seq: 1 }))).toBe("forbidden");
    expect(await codeOf(edit(deps, ben, { room, seq: 1, text: "no" }))).toBe("forbidden");
    const gone = await remove(deps, ben, { room, seq: 1 });
    expect(gone).toMatchObject({ seq: 1, version: 2 });
    expect(await remove(deps, eve, { room, seq: 1 })).toEqual(gone);
    await remove(deps, eve, { room, seq: 2 });
    await remove(deps, chat.backend(), { room, seq: 3 });
    expect(await codeOf(edit(deps, eve, { room, seq: 1, text: "back" }))).toBe("conflict");
    expect(await codeOf(react(deps, ann, { room, seq: 1, emoji: "👍", on: true }))).toBe(
      "conflict",
    );
    const kept = await deps.messages.list(ann.tenant, { index: "key", same: { room }, limit: 9 });
    expect(JSON.stringify(kept)).not.toMatch(/secret|👍/);
    expect((await search(deps, ann, { room, q: "secret", limit: 9 })).messages).toEqual([]);
  });
});

describe("[CT17] reactions", () => {
  test("of many at once on two nodes are all counted", async () => {
    await using chat = await openLoneChat({ nodes: 2 });
    await say(chat, 1);
    const users = Array.from({ length: 20 }, (_, i) => `u${i}`);
    await Promise.all(
      users.map((user, i) =>
        react(chat.nodes[i % 2]?.deps ?? chat.deps, chat.user(user), {
          room,
          seq: 1,
          emoji: "👍",
          on: true,
        }),
      ),
    );
    const [message] = (await history(chat.deps, chat.user("u3"), { room, limit: 1 })).messages;
    expect(message).toMatchObject({
      revision: 20,
      reactions: [{ emoji: "👍", count: 20, own: true }],
    });
    const told = chat.published.filter(({ event }) => event === "chat.reaction");
    expect(told).toHaveLength(20);
    expect(JSON.stringify(told)).not.toContain("own");
  });
});

describe("[CT18] search", () => {
  test("P3: looks at so many in one call, and goes on where it ended", async () => {
    await using chat = await openLoneChat();
    const { deps } = chat;
    const ann = chat.user("ann");
    await send(deps, ann, { room, text: "needle" });
    for (let i = 0; i < 21; i++) {
      await Promise.all(Array.from({ length: 100 }, () => send(deps, ann, { room, text: "hay" })));
    }
    const first = await search(deps, ann, { room, q: "NEEDLE", limit: 10 });
    expect(first).toEqual({ room, messages: [], next: 102 });
    const second = await search(deps, ann, { room, q: "NEEDLE", limit: 10, before: first.next });
    expect([seqs(second), second.next]).toEqual([[1], undefined]);
    for (const q of [" ", "\u0301", "\0"]) {
      expect(await codeOf(search(deps, ann, { room, q, limit: 10 }))).toBe("bad_request");
    }
  });
});

describe("[CT19] [CT20] marks", () => {
  test("go forward alone, not beyond what there is, and are told to others together", async () => {
    await using chat = await openLoneChat({ config: { receiptsMs: 500 } });
    const { deps } = chat;
    await say(chat, 5);
    const ben = chat.user("ben");
    expect(await mark(deps, ben, { room, delivered: 9 })).toMatchObject({
      read: 0,
      delivered: 5,
      unread: 5,
    });
    expect(await mark(deps, ben, { room, read: 3 })).toMatchObject({ read: 3, unread: 2 });
    expect(await mark(deps, ben, { room, read: 1 })).toMatchObject({ read: 3, unread: 2 });
    await mark(deps, chat.user("eve"), { room, read: 1 });
    expect(chat.pushed).toEqual([]);
    chat.clock.advance(500);
    await eventually("the receipts", () =>
      chat.pushed.some(({ action }) => action === "chat_receipts"),
    );
    const both = [
      { user: "ben", read: 3, delivered: 5 },
      { user: "eve", read: 1, delivered: 1 },
    ];
    expect(
      chat.pushed.filter(({ action }) => action === "chat_receipts").map(({ data }) => data),
    ).toEqual([{ room, receipts: both }]);
    expect((await receipts(deps, ben, { room, limit: 9 })).receipts).toEqual(both);
    expect(chat.pushed.find(({ to }) => to === "ben")).toEqual({
      to: "ben",
      action: "chat_read",
      data: { room, read: 3, delivered: 5, unread: 2 },
    });
  });

  test("of two nodes at once: the further one stands", async () => {
    await using chat = await openLoneChat({ nodes: 2 });
    await say(chat, 20);
    const ben = chat.user("ben");
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        mark(chat.nodes[i % 2]?.deps ?? chat.deps, ben, { room, read: ((i * 7) % 20) + 1 }),
      ),
    );
    expect(await mark(chat.deps, ben, { room })).toMatchObject({ read: 20, unread: 0 });
  });

  test("[CT26] in big rooms, and where they are turned off, nobody is told of others", async () => {
    const namespaces = { chat: {}, mute: { receipts: false, autoCreate: true } };
    await using chat = await openLoneChat({ config: { receiptsMembersMax: 2, namespaces } });
    const { deps } = chat;
    await say(chat, 1);
    for (const user of ["a", "b", "c"]) await join(deps, chat.user(user), room);
    await send(deps, chat.user("ann"), { room, text: "more" });
    await mark(deps, chat.user("a"), { room, read: 2 });
    await send(deps, chat.user("ann"), { room: "mute:x", text: "hi" });
    await mark(deps, chat.user("a"), { room: "mute:x", read: 1 });
    expect(await codeOf(receipts(deps, chat.user("a"), { room: "mute:x", limit: 9 }))).toBe(
      "forbidden",
    );
    chat.clock.advance(500);
    await eventually("the own devices", () => chat.pushed.length === 2);
    expect(chat.pushed.map(({ action }) => action)).toEqual(["chat_read", "chat_read"]);
  });

  test("[CT20] unread is counted up to 100, among the latest 1,000", async () => {
    await using chat = await openLoneChat();
    const [ann, ben] = [chat.user("ann"), chat.user("ben")];
    const burst = (who: typeof ann, count: number) =>
      Promise.all(Array.from({ length: count }, () => send(chat.deps, who, { room, text: "x" })));
    await burst(ann, 130);
    expect((await mark(chat.deps, ben, { room })).unread).toBe(100);
    await burst(ben, 980);
    expect((await mark(chat.deps, ben, { room })).unread).toBe(20);
  });
});

describe("[CT25] the broker is away", () => {
  test("faults 5: what is committed is acknowledged, and published in order when it is back", async () => {
    await using chat = await openLoneChat();
    chat.broker.away = true;
    await say(chat, 3);
    expect(chat.published).toEqual([]);
    chat.broker.away = false;
    await send(chat.deps, chat.user("ann"), { room, text: "m4" });
    await eventually("all of it", () => {
      chat.clock.advance(250);
      return chat.published.length === 4;
    });
    expect(chat.published.map(({ data }) => data)).toMatchObject(
      [1, 2, 3, 4].map((seq) => ({ message: { seq } })),
    );
    await say(chat, 1);
    expect(chat.published).toHaveLength(5);
  });

  test("P3: so many wait, for so long; the others are counted", async () => {
    await using chat = await openLoneChat({ config: { unpublishedMax: 2, unpublishedMs: 10_000 } });
    chat.broker.away = true;
    await say(chat, 3);
    const counted = chat.nodes[0].counted;
    expect(counted.get("publication_lost")).toBe(1);
    await eventually("the end of their time", () => {
      chat.clock.advance(1_000);
      return counted.get("publication_lost") === 3;
    });
    chat.broker.away = false;
    await say(chat, 1);
    expect(chat.published.map(({ data }) => data)).toMatchObject([{ message: { seq: 4 } }]);
  });
});

describe("[CT28] retention", () => {
  const keep = (retention: object, more = {}) => ({
    config: { namespaces: { chat: { retention } }, ...more },
    nodes: 2,
  });

  test("by number: the oldest go, the latest stay", async () => {
    await using chat = await openLoneChat(keep({ count: 3 }));
    await say(chat, 10);
    await createUpkeep(chat.deps)();
    expect(seqs(await history(chat.deps, chat.user("ann"), { room, limit: 50 }))).toEqual([
      8, 9, 10,
    ]);
    await say(chat, 1);
    expect((await history(chat.deps, chat.user("ann"), { room, limit: 1 })).top).toBe(11);
  });

  test("by age: never the latest, with which the room goes on counting", async () => {
    await using chat = await openLoneChat(keep({ ageMs: 60_000 }));
    const upkeep = createUpkeep(chat.deps);
    await say(chat, 3);
    chat.clock.advance(59_000);
    await say(chat, 2);
    await upkeep();
    expect(seqs(await history(chat.deps, chat.user("ann"), { room, limit: 50 }))).toEqual([
      1, 2, 3, 4, 5,
    ]);
    chat.clock.advance(2_000);
    await upkeep();
    expect(seqs(await history(chat.deps, chat.user("ann"), { room, limit: 50 }))).toEqual([4, 5]);
    chat.clock.advance(3_600_000);
    await upkeep();
    expect(seqs(await history(chat.deps, chat.user("ann"), { room, limit: 50 }))).toEqual([5]);
    await say(chat, 1);
    expect((await history(chat.deps, chat.user("ann"), { room, limit: 1 })).top).toBe(6);
  });
});
