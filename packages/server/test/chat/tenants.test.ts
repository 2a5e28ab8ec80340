/** P2: what belongs to another tenant is answered, byte for byte, like what is not there: for every action, and every route. */
import { expect, test } from "bun:test";
import { startChat } from "./start-chat.ts";

const KEYS = { a: "key-of-tenant-a-00000001", b: "key-of-tenant-b-00000002" };
const api = {
  keys: [
    { key: KEYS.a, tenant: "a", scopes: ["*" as const] },
    { key: KEYS.b, tenant: "b", scopes: ["*" as const] },
  ],
};

/** Every command, aimed at a room. */
const ACTIONS: readonly (readonly [string, (room: string) => object])[] = [
  ["chat_history", (room) => ({ room })],
  ["chat_history", (room) => ({ room, around: 1, thread: 1 })],
  ["chat_search", (room) => ({ room, q: "secret" })],
  ["chat_read", (room) => ({ room, read: 1 })],
  ["chat_receipts", (room) => ({ room })],
  ["chat_room", (room) => ({ room })],
  ["chat_members", (room) => ({ room })],
  ["chat_edit", (room) => ({ room, seq: 1, text: "x" })],
  ["chat_delete", (room) => ({ room, seq: 1 })],
  ["chat_react", (room) => ({ room, seq: 1, emoji: "👍" })],
  ["chat_update_room", (room) => ({ room, title: "x" })],
  ["chat_delete_room", (room) => ({ room })],
  ["chat_leave", (room) => ({ room })],
  ["chat_set_member", (room) => ({ room, user: "eve" })],
  ["chat_remove_member", (room) => ({ room, user: "ann" })],
  ["chat_rooms", () => ({})],
  ["chat", (room) => ({ room, text: "x", replyTo: 1 })],
  ["subscribe", (room) => ({ channel: room })],
  ["chat", (room) => ({ room, text: "x", idempotencyKey: "k" })],
  ["chat_join", (room) => ({ room })],
  ["chat_create_room", (room) => ({ room, access: "private" })],
];

const ROUTES: readonly (readonly [string, (room: string) => string, object?])[] = [
  ["GET", (room) => `/api/chat/history?room=${room}&user=ann`],
  ["GET", (room) => `/api/chat/search?room=${room}&q=secret`],
  ["GET", (room) => `/api/chat/receipts?room=${room}`],
  ["GET", () => "/api/chat/rooms"],
  ["GET", () => "/api/chat/rooms?user=ann"],
  ["GET", () => "/api/chat/unread?user=ann"],
  ["GET", (room) => `/api/chat/rooms/${room}`],
  ["PUT", (room) => `/api/chat/rooms/${room}`, { title: "x" }],
  ["DELETE", (room) => `/api/chat/rooms/${room}`],
  ["GET", (room) => `/api/chat/rooms/${room}/members`],
  ["PUT", (room) => `/api/chat/rooms/${room}/members/eve`, { role: "owner" }],
  ["DELETE", (room) => `/api/chat/rooms/${room}/members/ann`],
  ["POST", (room) => `/api/chat/rooms/${room}/leave`, { user: "ann" }],
];

test.each([true, false])(
  "faults 26: a tenant that probes another's rooms learns nothing (autoCreate: %p)",
  async (autoCreate) => {
    await using gateway = await startChat({ api, chat: { namespaces: { chat: { autoCreate } } } });
    const owner = await gateway.connect({ sub: "ann", tenant: "a" });
    const [theirs, nothing] = ["chat:theirs00", "chat:nothing0"];
    await owner.must("chat_create_room", { room: theirs, access: "private", title: "secret" });
    await owner.must("subscribe", { channel: theirs });
    await owner.must("chat", { room: theirs, text: "secret", idempotencyKey: "k" });
    await owner.must("chat_read", { room: theirs, read: 1 });
    // The same user id, and the same key: only the tenant is another.
    const spy = await gateway.connect({ sub: "ann", tenant: "b" });
    const other = await gateway.connect({ sub: "ann", tenant: "b" });
    for (const [action, data] of ACTIONS) {
      const answers = await Promise.all([
        spy.ask(action, data(theirs)),
        other.ask(action, data(nothing)),
      ]);
      const [one, two] = answers.map((answer) => plain(answer, theirs, nothing));
      expect([action, one]).toEqual([action, two]);
    }
    for (const [method, path, body] of ROUTES) {
      const ask = (room: string) =>
        gateway.call(method, path(encodeURIComponent(room)), body, KEYS.b);
      const [one, two] = [
        plain(await ask(theirs), theirs, nothing),
        plain(await ask(nothing), theirs, nothing),
      ];
      expect([method, path("…"), one]).toEqual([method, path("…"), two]);
    }
    await owner.settle();
    const heard = JSON.stringify(owner.all);
    const { messages } = await owner.must("chat_history", { room: theirs });
    expect(messages).toMatchObject([{ seq: 1, text: "secret", version: 1 }]);
    expect(await owner.must("chat_room", { room: theirs })).toMatchObject({
      title: "secret",
      version: 1,
    });
    expect(heard).not.toContain('"x"');
    expect(JSON.stringify(spy.all)).not.toContain("secret");
  },
);

/** Without what differs from one moment and one command to the next. */
function plain(answer: unknown, theirs: string, nothing: string): string {
  return JSON.stringify(answer)
    .replaceAll(theirs, "ROOM")
    .replaceAll(nothing, "ROOM")
    .replace(/"id":"q\d+"/g, '"id":"q"')
    .replace(/"epoch":"[\w-]+"/g, '"epoch":"e"')
    .replace(/"(at|createdAt|activeAt|editedAt|deletedAt|since)":\d+/g, '"$1":0');
}
