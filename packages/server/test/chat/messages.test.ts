import { describe, expect, test } from "bun:test";
import { allTold, startChat, told } from "./start-chat.ts";

const room = "chat:lobby";

describe("protocol section 23: chat", () => {
  test("[CT14] [CT23] what is said is kept, published and answered", async () => {
    await using gateway = await startChat();
    const ann = await gateway.connect({ sub: "ann", name: "Ann" });
    const ben = await gateway.connect({ sub: "ben" });
    for (const client of [ann, ben]) await client.must("subscribe", { channel: room });
    const sent = await ann.must("chat", { room: "lobby", text: "hello", idempotencyKey: "k1" });
    expect(sent).toEqual({ room, seq: 1, id: `${room}/1`, at: expect.any(Number) });
    const message = {
      ...{ room, seq: 1, id: `${room}/1`, from: { id: "ann", name: "Ann" } },
      ...{ text: "hello", at: sent.at, version: 1 },
    };
    for (const client of [ann, ben]) {
      expect(await told(client, "chat.message")).toEqual({ message, idempotencyKey: "k1" });
    }
    expect(await ben.must("chat_history", { room: "lobby" })).toEqual({
      ...{ room, messages: [message], top: 1, older: false, newer: false },
    });
  });

  test("[CT14] a repeat is answered as the first was, and published once", async () => {
    await using gateway = await startChat();
    const ann = await gateway.connect({ sub: "ann" });
    const ben = await gateway.connect({ sub: "ben" });
    await ben.must("subscribe", { channel: room });
    const first = await ann.must("chat", { room, text: "one", idempotencyKey: "k" });
    const again = await ann.must("chat", { room, text: "two", idempotencyKey: "k" });
    expect(again).toEqual({ ...first, duplicate: true });
    expect(await ben.must("chat", { room, text: "mine", idempotencyKey: "k" })).toMatchObject({
      seq: 2,
    });
    await ben.settle();
    expect(allTold(ben)).toMatchObject([
      { event: "chat.message", data: { message: { text: "one" } } },
      { event: "chat.message", data: { message: { text: "mine" } } },
    ]);
  });

  test("[CT14] messages of one session to one room are numbered in the order sent", async () => {
    await using gateway = await startChat();
    const ann = await gateway.connect({ sub: "ann" });
    const texts = Array.from({ length: 50 }, (_, i) => `t${i}`);
    const answers = await Promise.all(texts.map((text) => ann.must("chat", { room, text })));
    expect(answers.map(({ seq }) => seq)).toEqual(texts.map((_, i) => i + 1));
    const { messages } = await ann.must("chat_history", { room, limit: 200 });
    expect(messages.map(({ text }: { text: string }) => text)).toEqual(texts);
  });

  test("[CT16] [CT17] edits, deletions and reactions are published as they stand then", async () => {
    await using gateway = await startChat();
    const ann = await gateway.connect({ sub: "ann" });
    const ben = await gateway.connect({ sub: "ben" });
    await ben.must("subscribe", { channel: room });
    await ann.must("chat", { room, text: "helo" });
    await ann.must("chat_edit", { room, seq: 1, text: "hello", data: { mood: 1 }, version: 1 });
    await ben.must("chat_react", { room, seq: 1, emoji: "👍" });
    await ann.must("chat_react", { room, seq: 1, emoji: "👍" });
    await ann.must("chat_react", { room, seq: 1, emoji: "👍", on: false });
    await ann.must("chat_delete", { room, seq: 1 });
    await ben.settle();
    const reacted = { room, seq: 1, emoji: "👍" };
    expect(allTold(ben)).toMatchObject([
      { event: "chat.message", data: { message: { text: "helo", version: 1 } } },
      { event: "chat.edited", data: { message: { text: "hello", data: { mood: 1 }, version: 2 } } },
      { event: "chat.reaction", data: { ...reacted, user: "ben", on: true, revision: 1 } },
      { event: "chat.reaction", data: { ...reacted, reactions: [{ emoji: "👍", count: 2 }] } },
      { event: "chat.reaction", data: { ...reacted, user: "ann", on: false, revision: 3 } },
      { event: "chat.deleted", data: { message: { seq: 1, version: 3 } } },
    ]);
    const { messages } = await ben.must("chat_history", { room });
    expect(messages).toEqual([
      {
        ...{ room, seq: 1, id: `${room}/1`, from: { id: "ann" }, version: 3 },
        ...{ at: expect.any(Number), editedAt: expect.any(Number), deletedAt: expect.any(Number) },
      },
    ]);
  });

  test("[CT26] [CT27] marks are told to the room, and to the own devices", async () => {
    await using gateway = await startChat({ chat: { receiptsMs: 20 } });
    const ann = await gateway.connect({ sub: "ann" });
    const tab = await gateway.connect({ sub: "ann" });
    const ben = await gateway.connect({ sub: "ben" });
    await ben.must("subscribe", { channel: room });
    await ben.must("chat", { room, text: "hi" });
    const marks = { room, read: 1, delivered: 1, unread: 0 };
    expect(await ann.must("chat_read", { room, read: 1 })).toEqual(marks);
    const receipts = [{ user: "ann", read: 1, delivered: 1 }];
    expect((await ben.next("chat_receipts")).data).toEqual({ room, receipts });
    expect((await tab.next("chat_read")).data).toEqual(marks);
    expect(await ben.must("chat_receipts", { room })).toEqual({ room, receipts });
  });
});
