import { expect, test } from "bun:test";
import { settled } from "../test/support/fake-clock.ts";
import { Harness, pub, subscribed } from "../test/support/harness.ts";
import type { Message } from "./index.ts";

const LOBBY = "chat:lobby";

test("[AU1] the first frame is connect, with the token in it and not in the address", async () => {
  const h = new Harness();
  const socket = await h.connected();
  expect(socket.url).toBe("wss://gateway.test/ws");
  expect(socket.sent[0]).toEqual({ action: "connect", data: { token: "token-1", positions: {} } });
});

test("[AU8] without a token it connects as nobody", async () => {
  const h = new Harness({ token: undefined });
  const socket = await h.connected();
  expect(socket.sent[0]).toEqual({ action: "connect", data: { positions: {} } });
});

test("the state is connected only after welcome", async () => {
  const h = new Harness();
  expect(h.client.state).toEqual({ name: "idle" });
  h.client.connect();
  await settled();
  h.socket.accept();
  await settled();
  expect(h.names).toEqual(["connecting"]);
  const ready = h.client.ready();
  await h.welcome();
  expect(await ready).toMatchObject({ name: "connected", connection: "c1", resumed: false });
  expect(h.names).toEqual(["connecting", "connected"]);
});

test("subscribing delivers what the reply brings and what follows", async () => {
  const h = new Harness();
  const sub = h.client.subscribe(LOBBY, { last: 2 });
  const offsets: number[] = [];
  sub.on("message", (m: Message) => offsets.push(m.offset));
  const socket = await h.connected();
  expect(socket.last("subscribe").data).toEqual({ channel: LOBBY, last: 2 });
  const publications = [pub(LOBBY, 4), pub(LOBBY, 5)];
  socket.reply("subscribe", subscribed(LOBBY, 5, { publications }));
  expect(await sub.ready).toEqual({ recovered: false, position: { offset: 5, epoch: "e1" } });
  socket.push("message", pub(LOBBY, 6));
  expect(offsets).toEqual([4, 5, 6]);
  expect(sub.position).toEqual({ offset: 6, epoch: "e1" });
});

test("[HI1] [PR1] reads wait for a connection, and are asked again on the next", async () => {
  const h = new Harness();
  const history = h.client.history(LOBBY, { limit: 2, before: 9 });
  const presence = h.client.subscribe(LOBBY).presence({ limit: 0 });
  const first = await h.connected();
  expect(first.last("history").data).toEqual({ channel: LOBBY, limit: 2, before: 9 });
  expect(first.last("presence").data).toEqual({ channel: LOBBY, limit: 0 });
  const socket = await h.reconnected();
  socket.reply("history", {
    channel: LOBBY,
    publications: [],
    offset: 0,
    epoch: "e1",
    more: false,
  });
  socket.reply("presence", { channel: LOBBY, count: 1, connections: 2, users: [] });
  expect(await history).toMatchObject({ more: false });
  expect(await presence).toMatchObject({ count: 1, connections: 2 });
});

test("commands give up after their time, by signal, on refusal and when closed", async () => {
  const h = new Harness();
  const late = h.client.history(LOBBY).catch((e) => e.code);
  await h.clock.advance(10_000);
  expect(await late).toBe("timeout");
  const abort = new AbortController();
  const aborted = h.client.history(LOBBY, { signal: abort.signal }).catch((e) => e);
  abort.abort("enough");
  expect(await aborted).toBe("enough");
  const socket = await h.connected();
  expect(socket.all("history")).toHaveLength(0);
  const refused = h.client.history(LOBBY, { epoch: "e0" }).catch((e) => e.code);
  socket.refuse("history", "position_lost");
  expect(await refused).toBe("position_lost");
  const open = h.client.history(LOBBY).catch((e) => e.code);
  h.client.close();
  expect(await open).toBe("closed");
  expect(await h.client.history(LOBBY).catch((e) => e.code)).toBe("closed");
});

test("[DM1] direct messages go and come, and are never sent twice", async () => {
  const h = new Harness();
  const direct: unknown[] = [];
  h.client.on("direct", (message) => direct.push(message.data));
  const first = await h.connected();
  const sent = h.client.send({ user: "bob" }, { hi: 1 }, { event: "greet" });
  expect(first.last("send").data).toEqual({ user: "bob", event: "greet", data: { hi: 1 } });
  first.reply("send", { delivered: 2 });
  expect(await sent).toEqual({ delivered: 2 });
  first.push("message", { direct: "user", at: 1, data: "hello" });
  expect(direct).toEqual(["hello"]);
  const lost = h.client.send({ connection: "c9" }, 1).catch((e) => e);
  const socket = await h.reconnected();
  expect(await lost).toMatchObject({ code: "disconnected", temporary: true });
  expect(socket.all("send")).toHaveLength(0);
});

test("[LS2] ping measures the way to the gateway and back", async () => {
  const h = new Harness();
  const ping = h.client.ping();
  const socket = await h.connected();
  await h.clock.advance(40);
  socket.reply("ping", { at: 1 });
  expect(await ping).toBe(40);
});

test("[PR3] [TY1] presence and typing reach the subscriptions of their channel", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const seen: unknown[] = [];
  for (const sub of [h.client.subscribe(LOBBY), h.client.subscribe("chat:*")]) {
    sub.on("presence", ({ event, user, count }) =>
      seen.push([sub.channel, event, user?.id ?? count]),
    );
    sub.on("typing", ({ user, typing }) => seen.push([sub.channel, user.id, typing]));
  }
  const user = { id: "bob", connections: 1 };
  socket.push("presence", { channel: LOBBY, event: "join", user, count: 2 });
  socket.push("presence", { channel: LOBBY, event: "many", count: 700 });
  socket.push("typing", { channel: LOBBY, user, typing: true });
  expect(seen).toEqual([
    [LOBBY, "join", "bob"],
    ["chat:*", "join", "bob"],
    [LOBBY, "many", 700],
    ["chat:*", "many", 700],
    [LOBBY, "bob", true],
    ["chat:*", "bob", true],
  ]);
});

test("[TY2] typing at every keystroke is sent once in 3 s, and its end at once", async () => {
  const h = new Harness();
  const sub = h.client.subscribe(LOBBY);
  sub.typing(true);
  const socket = await h.connected();
  sub.typing(false);
  for (let i = 0; i < 8; i++) {
    sub.typing(true);
    await h.clock.advance(500);
  }
  sub.typing(false);
  sub.typing(true);
  expect(socket.all("typing").map((f) => f.data["typing"])).toEqual([
    false,
    true,
    true,
    false,
    true,
  ]);
  expect(socket.last("typing").id).toBeUndefined();
});

test("[FR3] unknown pushes and strange frames do no harm; the former can be heard", async () => {
  const h = new Harness();
  const pushes: unknown[] = [];
  h.client.on("push", (push) => pushes.push(push));
  const socket = await h.connected();
  for (const text of ["", "[]", "null", "{", '{"action":1}', '{"action":"message"}']) {
    socket.deliver(text);
  }
  socket.push("message", { channel: "nobody:asked", offset: 1 });
  socket.push("subscribe", { channel: "nobody:asked" });
  socket.push("chat", { room: "lobby" });
  socket.push("publish", {}, 999);
  expect(pushes).toEqual([{ action: "chat", data: { room: "lobby" } }]);
  expect(h.client.state.name).toBe("connected");
});

test("[ST1] P5: what the gateway says of itself is told once, and another node begins anew", async () => {
  const h = new Harness();
  const told: boolean[] = [];
  h.client.on("degraded", (degraded) => told.push(degraded));
  const socket = await h.connected();
  socket.push("status", { degraded: true });
  socket.push("status", { degraded: true });
  socket.push("status", { degraded: false });
  socket.push("status", { degraded: true });
  expect(told).toEqual([true, false, true]);
  socket.end(1006);
  expect(told).toEqual([true, false, true]);
  await h.clock.advance(20_000);
  await h.welcome({ connection: "c2" });
  expect(told).toEqual([true, false, true, false]);
});

test("[ER1] an error without an id reaches the client's listeners", async () => {
  const h = new Harness();
  const codes: string[] = [];
  h.client.on("error", (error) => codes.push(error.code));
  const socket = await h.connected();
  socket.push("error", { code: "forbidden", message: "no", temporary: false });
  expect(codes).toEqual(["forbidden"]);
});

test("open commands are bounded", async () => {
  const h = new Harness({ publishQueueMax: 1 });
  const asked = Array.from({ length: 5 }, () => h.client.history(LOBBY).catch((e) => e.code));
  await h.clock.advance(0);
  expect(await asked[4]).toBe("queue_full");
});

test("a plugin's action is asked by request", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const answer = h.client.request("get_connected_users", { room: "lobby" });
  socket.reply("get_connected_users", { users: ["ada"] });
  expect(await answer).toEqual({ users: ["ada"] });
});

test("after close, subscriptions wait for the next connect and recover", async () => {
  const h = new Harness();
  const first = await h.connected();
  const sub = h.client.subscribe(LOBBY);
  first.reply("subscribe", subscribed(LOBBY, 5));
  const pending = h.client.subscribe("chat:pending");
  const ready = pending.ready;
  h.client.close();
  expect(await ready.catch((e) => e.code)).toBe("closed");
  const socket = await h.connected();
  expect(socket.all("subscribe").map((f) => f.data)).toEqual([
    { channel: LOBBY, since: { offset: 5, epoch: "e1" } },
    { channel: "chat:pending" },
  ]);
  socket.reply("subscribe", subscribed("chat:pending", 1));
  expect(await pending.ready).toMatchObject({ recovered: false });
  expect(sub.state).toBe("pending");
});
