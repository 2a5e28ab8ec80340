import { describe, expect, test } from "bun:test";
import { startChat } from "./start-chat.ts";

const room = "chat:lobby";
const INJECTIONS = [
  "' OR '1'='1",
  "'; DROP TABLE chat_messages; --",
  '" OR ""="',
  "\\",
  "%",
  "_",
  "*",
  "{$ne:1}",
  '{"$gt":""}',
  "$where",
  "../../other",
  "tenant/x",
  "a\u0000b",
  "\u202egnp.exe",
  "\ud800",
  "1e3",
  "-1",
  "NaN",
  "__proto__",
];

const SURPRISES = [
  "plain",
  "ünïcödé",
  "👨‍👩‍👧‍👦🏳️‍🌈",
  "e\u0301 is not \u00e9",
  "\u0000 NUL",
  "lone \ud800 and \udfff",
  "\u2028\u2029",
  "\ufeffBOM",
  "רtl \u202e override",
  "\r\n\t\u0007",
  "𝒳 astral",
  "\uffff\ufffe",
  "a".repeat(5_000),
];

describe("chat and hostile input", () => {
  test("faults 25: every surprise of Unicode comes back as it was, in text and in data", async () => {
    await using gateway = await startChat();
    const ann = await gateway.connect({ sub: "ann" });
    await ann.must("subscribe", { channel: room });
    for (const text of SURPRISES) {
      await ann.must("chat", {
        room,
        text,
        data: { [text.slice(0, 50)]: [text.slice(0, 50), null, 1e300] },
      });
    }
    const { messages } = await ann.must("chat_history", { room, limit: 200 });
    for (const [i, text] of SURPRISES.entries()) {
      const data = { [text.slice(0, 50)]: [text.slice(0, 50), null, 1e300] };
      expect(messages[i]).toMatchObject({ seq: i + 1, text, data });
    }
    const published = ann.all.filter(({ action }) => action === "message");
    expect(published.map(({ data }) => data.data.message.text)).toEqual(SURPRISES);
  });

  test("faults 32: what looks like SQL, operators or paths is a value in every field, filter and cursor", async () => {
    await using gateway = await startChat();
    const ann = await gateway.connect({ sub: "ann" });
    await ann.must("chat", { room, text: "canary" });
    await ann.must("chat_join", { room });
    let refused = 0;
    for (const value of INJECTIONS) {
      const asked: [string, object][] = [
        ["chat", { room: value, text: "x" }],
        ["chat", { room, text: value, idempotencyKey: value }],
        ["chat", { room, text: "x", replyTo: value }],
        ["chat_history", { room, before: value }],
        ["chat_history", { room, thread: value }],
        ["chat_history", { room: value }],
        ["chat_search", { room, q: value }],
        ["chat_search", { room, q: "x", before: value }],
        ["chat_react", { room, seq: 1, emoji: value }],
        ["chat_react", { room, seq: value, emoji: "x" }],
        ["chat_members", { room, cursor: value }],
        ["chat_receipts", { room, cursor: value }],
        ["chat_rooms", { cursor: value }],
        ["chat_rooms", { limit: value }],
        ["chat_create_room", { room: value, title: value, data: value }],
        ["chat_create_room", { members: [{ user: value }] }],
        ["chat_set_member", { room, user: value }],
        ["chat_remove_member", { room, user: value }],
        ["chat_update_room", { room, title: value, version: value }],
      ];
      for (const [action, data] of asked) {
        const answer = await ann.ask(action, data);
        if (answer.action !== "error") continue;
        refused++;
        expect([action, data, answer.data.code]).not.toContain("internal");
      }
    }
    expect(refused).toBeGreaterThan(100);
    const { messages } = await ann.must("chat_history", { room, after: 0, limit: 1 });
    expect(messages).toMatchObject([{ seq: 1, text: "canary" }]);
    // Wildcards of a database would find it.
    for (const q of ["%", "_", "c%y", "c_nary", "*", "canary' OR '1'='1", "canary\\"]) {
      expect((await ann.must("chat_search", { room, q: `canar${q}` })).messages).toEqual([]);
    }
  });

  test("faults 30: the same over HTTP", async () => {
    await using gateway = await startChat();
    await gateway.call("POST", "/api/chat/send", { room, user: "ann", text: "canary" });
    for (const value of INJECTIONS.map((text) => text.replaceAll("\ud800", "\ufffd"))) {
      const text = encodeURIComponent(value);
      for (const path of [
        `/api/chat/history?room=${text}`,
        `/api/chat/history?room=lobby&before=${text}`,
        `/api/chat/history?room=lobby&user=${text}`,
        `/api/chat/search?room=lobby&q=${text}`,
        `/api/chat/rooms?cursor=${text}`,
        `/api/chat/rooms?user=ann&cursor=${text}`,
        `/api/chat/rooms/${text}`,
        `/api/chat/rooms/chat%3Alobby/members?cursor=${text}`,
        `/api/chat/receipts?room=lobby&cursor=${text}`,
        `/api/chat/unread?user=${text}`,
      ]) {
        const { status, body } = await gateway.call("GET", path);
        expect([path, status === 200 || body.error.code !== "internal"]).toEqual([path, true]);
      }
    }
  });

  test("faults 24: what is too large, and what has the wrong type, is refused and kept nowhere", async () => {
    await using gateway = await startChat({ listen: { frameMaxBytes: 2_000_000 } });
    const ann = await gateway.connect({ sub: "ann" });
    const big = "x".repeat(1_000_000);
    expect((await ann.refused("chat", { room, text: big })).code).toBe("too_large");
    expect((await ann.refused("chat", { room, data: { big } })).code).toBe("too_large");
    const { body } = await gateway.call("POST", "/api/chat/send", { room, text: big });
    expect(body.error.code).toBe("too_large");
    for (const data of [
      {},
      { room },
      { room, text: "" },
      { room, text: 1 },
      { room: 1, text: "x" },
      { room, text: null },
      { text: "x" },
      { room, text: "x", idempotencyKey: "" },
      { room, text: "x", idempotencyKey: "k\n" },
    ]) {
      expect((await ann.refused("chat", data)).code).toBe("bad_request");
    }
    for (const data of [
      { room, before: 1, after: 2 },
      { room, limit: 0 },
      { room, limit: 201 },
      { room, before: -1 },
      { room, before: 1.5 },
    ]) {
      expect((await ann.refused("chat_history", data)).code).toBe("bad_request");
    }
    expect(await ann.must("chat_history", { room })).toMatchObject({ messages: [], top: 0 });
  });
});
