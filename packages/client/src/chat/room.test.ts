import { expect, test } from "bun:test";
import type { ChatMessage } from "@aldis/protocol";
import { settled } from "../../test/support/fake-clock.ts";
import { Harness, subscribed } from "../../test/support/harness.ts";
import { chat } from "../chat.ts";

const ROOM = "chat:lobby";
const WIRE_ROOM = { room: ROOM, access: "public", createdAt: 1, activeAt: 1, top: 0, version: 1 };

function message(seq: number, more: Partial<ChatMessage> = {}): ChatMessage {
  const from = { id: "bob" };
  return {
    ...{ room: ROOM, seq, id: `${ROOM}/${seq}`, at: seq, version: 1, from },
    text: `${seq}`,
    ...more,
  };
}

function page(seqs: readonly number[], more: object = {}): object {
  const messages = seqs.map((seq) => message(seq));
  return { room: ROOM, messages, top: seqs.at(-1) ?? 0, older: false, newer: false, ...more };
}

const MARKS = { room: ROOM, read: 0, delivered: 0, unread: 0 };

/** A room of which all is answered by hand. */
async function opening() {
  const h = new Harness({ use: { chat } });
  const room = h.client.chat("lobby");
  const socket = await h.connected();
  socket.reply("subscribe", subscribed(ROOM, 0));
  await settled();
  let offset = 0;
  const publish = async (event: string, data: object) => {
    offset++;
    socket.push("message", { channel: ROOM, offset, at: 1, event, data });
    await settled();
  };
  const say = (seq: number) => publish("chat.message", { message: message(seq) });
  const reply = async (action: string, data: object) => {
    socket.reply(action, data);
    await settled();
  };
  const texts = () => room.view.messages.map(({ text }) => text);
  return { h, room, socket, publish, say, reply, texts };
}

async function open(seqs: readonly number[], unread = 0) {
  const all = await opening();
  await all.reply("chat_history", page(seqs));
  await all.reply("chat_room", { ...WIRE_ROOM, top: seqs.at(-1) ?? 0 });
  await all.reply("chat_read", { ...MARKS, unread });
  return all;
}

test("[CT24] what is said, edited and reacted to while the first page is on its way is in what is shown", async () => {
  const { publish, say, reply, texts, room } = await opening();
  expect(room.view.state).toBe("loading");
  await say(3);
  await publish("chat.edited", { message: message(1, { version: 2, text: "one" }) });
  const reactions = [{ emoji: "👍", count: 1 }];
  const reaction = { room: ROOM, seq: 2, user: "ada", emoji: "👍", on: true, revision: 1 };
  await publish("chat.reaction", { ...reaction, reactions });
  await reply("chat_history", page([1, 2]));
  expect(texts()).toEqual(["one", "2", "3"]);
  expect(room.view.messages[1]?.reactions).toEqual([{ emoji: "👍", count: 1, own: true }]);
  expect(room.view.state).toBe("live");
});

test("[CT24] a gap is asked for, once; what is nowhere is given up after a few times", async () => {
  const { h, socket, say, reply, texts, room } = await open([1]);
  await say(3);
  expect(texts()).toEqual(["1"]);
  expect(socket.last("chat_history").data).toEqual({ room: ROOM, after: 1, limit: 200 });
  await reply("chat_history", page([2, 3]));
  expect(texts()).toEqual(["1", "2", "3"]);
  await say(9);
  const before = socket.all("chat_history").length;
  let answered = 0;
  for (let n = 0; n < 30; n++) {
    if (socket.all("chat_history").length > before + answered) {
      answered++;
      await reply("chat_history", page([], { top: 3 }));
    }
    await h.clock.advance(500);
  }
  expect(answered).toBeGreaterThan(2);
  expect(answered).toBeLessThan(8);
  await say(4);
  expect(texts()).toEqual(["1", "2", "3", "4"]);
  expect(room.view.state).toBe("live");
});

test("[CT15] who has missed more than a page goes on with what is said now", async () => {
  const { say, reply, texts, room } = await open([1]);
  await say(400);
  await reply("chat_history", page([2, 3], { top: 400, newer: true }));
  await reply("chat_history", page([399, 400], { older: true }));
  expect(texts()).toEqual(["399", "400"]);
  expect(room.view).toMatchObject({ hasOlder: true, hasNewer: false });
});

test("[CT9] a room that is deleted is empty, and goes on with the next word", async () => {
  const { publish, say, texts, room } = await open([1, 2], 2);
  await publish("chat.room_deleted", { room: ROOM });
  expect([texts(), room.view.unread]).toEqual([[], 0]);
  await say(3);
  expect(texts()).toEqual(["3"]);
});

test("[CT19] marks: told together a moment later, counted anew when somebody spoke meanwhile, and told again after a break", async () => {
  const { h, room, socket, say, reply } = await open([1, 2, 3], 3);
  expect(room.view.unread).toBe(3);
  room.markRead(1);
  room.markRead(3);
  expect(room.view).toMatchObject({ read: 3, unread: 0 });
  await h.clock.advance(300);
  expect(socket.last("chat_read").data).toEqual({ room: ROOM, read: 3, delivered: 3 });
  const told = socket.all("chat_read").length;
  await say(4);
  await reply("chat_read", { ...MARKS, read: 3, delivered: 3, unread: 0 });
  await h.clock.advance(300);
  expect(socket.all("chat_read")).toHaveLength(told + 1);
  await reply("chat_read", { ...MARKS, read: 3, delivered: 3, unread: 1 });
  expect(room.view.unread).toBe(1);
  room.markRead();
  const next = await h.reconnected();
  next.reply("subscribe", subscribed(ROOM, 1, { recovered: true }));
  await h.clock.advance(300);
  expect(next.last("chat_read").data).toEqual({ room: ROOM, read: 4, delivered: 4 });
});

test("[CT27] what was read on another device is read here", async () => {
  const { room, socket } = await open([1, 2], 2);
  socket.push("chat_read", { ...MARKS, read: 1, delivered: 2, unread: 1 });
  socket.push("chat_read", { ...MARKS, room: "chat:other", read: 9, delivered: 9 });
  await settled();
  expect(room.view).toMatchObject({ read: 1, unread: 1 });
});

test("closed while it loads it stays closed, and asks for nothing more", async () => {
  const { h, room, reply, socket } = await opening();
  room.close();
  await reply("chat_history", page([1]));
  expect(room.view).toMatchObject({ state: "ended", messages: [] });
  expect(socket.all("unsubscribe")).toHaveLength(1);
  const again = h.client.chat("lobby");
  socket.refuse("subscribe", "unavailable");
  again.close();
  const asked = socket.all("chat_history").length;
  await h.clock.advance(10_000);
  expect(socket.all("chat_history")).toHaveLength(asked);
});

test("refused for now it is asked again, ever more rarely; refused for good it ends", async () => {
  const { h, room, socket } = await opening();
  socket.onSent = ({ action }) => {
    if (action === "chat_history")
      queueMicrotask(() => socket.refuse("chat_history", "unavailable"));
  };
  socket.refuse("chat_history", "unavailable");
  await h.clock.advance(60_000);
  const tries = socket.all("chat_history").length;
  expect(tries).toBeGreaterThan(4);
  expect(tries).toBeLessThan(20);
  socket.onSent = () => {};
  while (socket.all("chat_history").length === tries) await h.clock.advance(500);
  socket.refuse("chat_history", "forbidden");
  await settled();
  expect(room.view.state).toBe("ended");
  expect(room.view.error?.code).toBe("forbidden");
});

test("handles of one room share it; the last one to close ends it", async () => {
  const { h, room, socket } = await open([1]);
  const other = h.client.chat(ROOM, { messagesMax: 5 });
  expect(other.view).toBe(room.view);
  expect(socket.all("subscribe")).toHaveLength(1);
  room.close();
  room.close();
  expect(other.view.state).toBe("live");
  other.close();
  expect(socket.all("unsubscribe")).toHaveLength(1);
});

test("[CT21] the list of rooms: counts what is said, is read anew after a break, and follows again after close and connect", async () => {
  const h = new Harness({ use: { chat } });
  const rooms = h.client.chat.rooms();
  const row = { ...WIRE_ROOM, top: 1, read: 1, delivered: 1, unread: 0 };
  const socket = await h.connected();
  socket.reply("chat_rooms", { rooms: [row] });
  await settled();
  socket.reply("subscribe", subscribed(ROOM, 0));
  const data = { message: message(2) };
  socket.push("message", { channel: ROOM, offset: 1, at: 1, event: "chat.message", data });
  // The list that was on its way does not know of it.
  socket.reply("chat_rooms", { rooms: [row] });
  await settled();
  expect(rooms.view).toMatchObject({ state: "live", unread: 1, rooms: [{ top: 2 }] });
  const next = await h.reconnected({ resumed: true, channels: [ROOM] });
  next.reply("chat_rooms", { rooms: [{ ...row, top: 2, read: 2, unread: 0 }] });
  await settled();
  expect(rooms.view.unread).toBe(0);
  h.client.close();
  const again = await h.connected();
  again.reply("chat_rooms", { rooms: [row] });
  await settled();
  expect(rooms.view.state).toBe("live");
  expect(again.all("subscribe")).toHaveLength(1);
  rooms.close();
  expect(rooms.view.state).toBe("ended");
});
