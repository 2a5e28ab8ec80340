import { expect, test } from "bun:test";
import type { ChatMessage } from "@aldis/protocol";
import { settled } from "../../test/support/fake-clock.ts";
import type { FakeSocket } from "../../test/support/fake-socket.ts";
import { Harness, subscribed } from "../../test/support/harness.ts";
import { chat } from "../chat.ts";

const ROOM = "chat:lobby";

/** A gateway that answers what opens a room: nothing was said in it yet. */
function obliging(socket: FakeSocket): FakeSocket {
  socket.onSent = ({ action, id }) => {
    const answers: Record<string, object> = {
      subscribe: subscribed(ROOM, 0),
      chat_history: { room: ROOM, messages: [], top: 0, older: false, newer: false },
      chat_room: { room: ROOM, access: "public", createdAt: 1, activeAt: 1, top: 0, version: 1 },
      chat_read: { room: ROOM, read: 0, delivered: 0, unread: 0 },
    };
    const answer = answers[action];
    if (answer !== undefined) queueMicrotask(() => socket.push(action, answer, id));
  };
  return socket;
}

async function open() {
  const h = new Harness({ use: { chat } });
  const room = h.client.chat("lobby");
  h.client.connect();
  await settled();
  const socket = obliging(h.socket);
  await h.welcome();
  const shown = () => room.view.messages.map(({ text }) => text);
  const waiting = () => room.view.outgoing.map(({ text, state }) => `${text} ${state}`);
  return { h, room, socket, shown, waiting };
}

async function back(h: { reconnected(): Promise<FakeSocket>; sockets: FakeSocket[] }) {
  const socket = await h.reconnected();
  return obliging(socket);
}

const body = (seq: number) => ({ room: ROOM, seq, id: `${ROOM}/${seq}`, at: seq });

async function publish(socket: FakeSocket, seq: number, text: string, idempotencyKey?: unknown) {
  const message: ChatMessage = { ...body(seq), version: 1, text, from: { id: "ada" } };
  const data = { message, idempotencyKey };
  socket.push("message", { channel: ROOM, offset: seq, at: 1, event: "chat.message", data });
  await settled();
}

test("[CT14] one after another, each with a key of its own", async () => {
  const { room, socket, shown, waiting } = await open();
  const sent = ["one", "two"].map((text) => room.send(text));
  expect(waiting()).toEqual(["one pending", "two pending"]);
  expect(socket.all("chat")).toHaveLength(1);
  socket.reply("chat", body(1));
  await settled();
  expect(socket.last("chat").data).toMatchObject({ room: ROOM, text: "two" });
  socket.reply("chat", body(2));
  expect((await Promise.all(sent)).map(({ seq }) => seq)).toEqual([1, 2]);
  const keys = new Set(socket.all("chat").map(({ data }) => data["idempotencyKey"]));
  expect(keys.size).toBe(2);
  expect([shown(), waiting()]).toEqual([["one", "two"], []]);
});

test("[CT14] [CT25] repeated under its key while the store is away, over breaks and without an answer", async () => {
  const { h, room, socket, shown } = await open();
  let result: object | undefined;
  void room.send("hello").then((sent) => {
    result = sent;
  });
  void room.send("and more");
  socket.refuse("chat", "unavailable", { retryAfterMs: 2_000 });
  await settled();
  expect(socket.all("chat")).toHaveLength(1);
  await h.clock.advance(3_000);
  expect(socket.all("chat")).toHaveLength(2);
  const second = await back(h);
  while (second.all("chat").length === 0) await h.clock.advance(100);
  const third = await back(h);
  while (third.all("chat").length === 0) await h.clock.advance(100);
  const all = [...socket.all("chat"), ...second.all("chat"), ...third.all("chat")];
  expect(new Set(all.map(({ data }) => data["idempotencyKey"])).size).toBe(1);
  third.reply("chat", { ...body(1), duplicate: true });
  await settled();
  expect(result).toMatchObject({ seq: 1 });
  expect(third.last("chat").data).toMatchObject({ text: "and more" });
  expect(shown()).toEqual(["hello"]);
});

test("[CT23] the publication before the reply, and after it: shown once, never twice at the same time", async () => {
  const { room, socket, shown, waiting } = await open();
  const seen: string[] = [];
  room.onChange(({ messages, outgoing }) =>
    seen.push([...messages, ...outgoing].map(({ text }) => text).join(" ")),
  );
  const first = room.send("one");
  await publish(socket, 1, "one", socket.last("chat").data["idempotencyKey"]);
  expect([shown(), waiting()]).toEqual([["one"], []]);
  expect(await first).toMatchObject({ seq: 1 });
  socket.reply("chat", body(1));
  await settled();
  void room.send("two");
  await settled();
  const key = socket.last("chat").data["idempotencyKey"];
  socket.reply("chat", body(2));
  await settled();
  await publish(socket, 2, "two", key);
  expect([shown(), waiting()]).toEqual([["one", "two"], []]);
  expect(new Set(seen)).toEqual(new Set(["one", "one two"]));
});

test("what another has under the same key is not one's own", async () => {
  const { room, socket, waiting } = await open();
  void room.send("mine");
  const message: ChatMessage = { ...body(1), version: 1, text: "theirs", from: { id: "bob" } };
  const data = { message, idempotencyKey: socket.last("chat").data["idempotencyKey"] };
  socket.push("message", { channel: ROOM, offset: 1, at: 1, event: "chat.message", data });
  await settled();
  expect(waiting()).toEqual(["mine pending"]);
});

test("published while it waits to be repeated, the next goes at once", async () => {
  const { room, socket } = await open();
  void room.send("one");
  void room.send("two");
  socket.refuse("chat", "unavailable", { retryAfterMs: 20_000 });
  await settled();
  await publish(socket, 1, "one", socket.last("chat").data["idempotencyKey"]);
  expect(socket.last("chat").data).toMatchObject({ text: "two" });
});

test("refused for good it stays as failed; retried under its key, or discarded", async () => {
  const { room, socket, shown, waiting } = await open();
  const codes: string[] = [];
  for (const text of ["one", "two", "three"]) room.send(text).catch(({ code }) => codes.push(code));
  socket.refuse("chat", "forbidden");
  await settled();
  socket.refuse("chat", "too_large");
  await settled();
  socket.reply("chat", body(1));
  await settled();
  expect(codes).toEqual(["forbidden", "too_large"]);
  expect([shown(), waiting()]).toEqual([["three"], ["one failed", "two failed"]]);
  expect(room.view.outgoing[1]?.error?.code).toBe("too_large");
  const [one, two] = room.view.outgoing;
  room.discard(two?.key ?? "");
  room.retry(one?.key ?? "");
  expect(waiting()).toEqual(["one pending"]);
  room.discard(one?.key ?? "");
  expect(waiting()).toEqual(["one pending"]);
  expect(socket.last("chat").data["idempotencyKey"]).toBe(one?.key);
  socket.reply("chat", body(2));
  await settled();
  expect([shown(), waiting()]).toEqual([["three", "one"], []]);
});

test("at most 1,000 wait", async () => {
  const h = new Harness({ use: { chat } });
  const room = h.client.chat("lobby");
  for (let n = 0; n < 1_000; n++) room.send(`${n}`).catch(() => {});
  expect(await room.send("too much").catch(({ code }) => code)).toBe("queue_full");
  expect(room.view.outgoing).toHaveLength(1_000);
  h.client.close();
});

test("closing the room does not take back what was said; the room ends afterwards", async () => {
  const { h, room, socket } = await open();
  const sent = ["one", "two"].map((text) => room.send(text));
  room.close();
  expect(socket.all("unsubscribe")).toHaveLength(0);
  socket.reply("chat", body(1));
  await settled();
  socket.reply("chat", body(2));
  expect((await Promise.all(sent)).map(({ seq }) => seq)).toEqual([1, 2]);
  await settled();
  expect(socket.all("unsubscribe")).toHaveLength(1);
  expect(room.view.state).toBe("ended");
  expect(h.client.chat("lobby").view.outgoing).toEqual([]);
});

test("opened again before all is sent, it is the same room, with what waits", async () => {
  const { h, room, socket } = await open();
  void room.send("one");
  room.close();
  const again = h.client.chat("chat:lobby");
  expect(again.view.outgoing.map(({ text }) => text)).toEqual(["one"]);
  socket.reply("chat", body(1));
  await settled();
  expect(again.view).toMatchObject({ state: "live", outgoing: [] });
});

test("closing the client fails what waits and leaves no timer; connected again the room goes on", async () => {
  const { h, room, socket } = await open();
  const ended = [room.send("one"), room.send("two")].map((sent) => sent.catch(({ code }) => code));
  socket.refuse("chat", "unavailable");
  await settled();
  room.markRead(1);
  h.client.close();
  await h.clock.advance(30_000);
  expect(await Promise.all(ended)).toEqual(["closed", "closed"]);
  expect(h.clock.pending).toBe(0);
  h.client.connect();
  await settled();
  const again = obliging(h.socket);
  await h.welcome();
  expect(again.all("chat_history")).toHaveLength(1);
  const { key } = room.view.outgoing[0] ?? { key: "" };
  room.retry(key);
  again.reply("chat", body(1));
  await settled();
  expect(room.view).toMatchObject({ state: "live", messages: [{ text: "one" }] });
});
