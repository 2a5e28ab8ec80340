import { expect, test } from "bun:test";
import { settled } from "../test/support/fake-clock.ts";
import type { FakeSocket } from "../test/support/fake-socket.ts";
import { Harness, pub, subscribed } from "../test/support/harness.ts";
import type { Message, Subscribed, Subscription } from "./index.ts";

const LOBBY = "chat:lobby";

function log(sub: Subscription) {
  const seen = { offsets: [] as number[], subscribed: [] as Subscribed[] };
  sub.on("message", (m: Message) => seen.offsets.push(m.offset));
  sub.on("subscribed", (s) => seen.subscribed.push(s));
  return seen;
}

/** A client that stands at offset 5 of the lobby. */
async function atFive(h = new Harness()) {
  const socket = await h.connected();
  const sub = h.client.subscribe(LOBBY);
  const seen = log(sub);
  socket.reply("subscribe", subscribed(LOBBY, 5));
  await sub.ready;
  return { h, socket, sub, seen };
}

function since(socket: FakeSocket): unknown {
  return socket.last("subscribe").data["since"];
}

test("[SU4] a gap is repaired before what is behind it is delivered", async () => {
  const { socket, seen } = await atFive();
  socket.push("message", pub(LOBBY, 8));
  socket.push("message", pub(LOBBY, 9));
  expect(seen.offsets).toEqual([]);
  expect(since(socket)).toEqual({ offset: 5, epoch: "e1" });
  const publications = [pub(LOBBY, 6), pub(LOBBY, 7), pub(LOBBY, 8)];
  socket.reply("subscribe", subscribed(LOBBY, 8, { recovered: true, publications }));
  expect(seen.offsets).toEqual([6, 7, 8, 9]);
  expect(seen.subscribed.at(-1)).toEqual({ recovered: true, position: { offset: 8, epoch: "e1" } });
});

test("[SE5] repeats are dropped", async () => {
  const { socket, seen } = await atFive();
  for (const offset of [5, 6, 6, 4, 7, 6]) socket.push("message", pub(LOBBY, offset));
  expect(seen.offsets).toEqual([6, 7]);
  expect(socket.all("subscribe")).toHaveLength(1);
});

test("[SU2] what cannot be recovered is told, before the latest messages", async () => {
  const { socket, sub, seen } = await atFive();
  const order: string[] = [];
  sub.on("subscribed", (s) => order.push(`recovered: ${s.recovered}`));
  sub.on("message", (m: Message) => order.push(`message ${m.offset}`));
  socket.push("message", pub(LOBBY, 90));
  socket.reply(
    "subscribe",
    subscribed(LOBBY, 90, { publications: [pub(LOBBY, 89), pub(LOBBY, 90)] }),
  );
  expect(order).toEqual(["recovered: false", "message 89", "message 90"]);
  expect(seen.subscribed).toHaveLength(2);
  expect(sub.position).toEqual({ offset: 90, epoch: "e1" });
});

test("[CH1] a new epoch starts anew; what is held back of the old one is dropped", async () => {
  const { socket, sub, seen } = await atFive();
  socket.push("message", pub(LOBBY, 8));
  socket.reply("subscribe", subscribed(LOBBY, 2, { epoch: "e2" }));
  socket.push("message", pub(LOBBY, 3));
  expect(seen.offsets).toEqual([3]);
  expect(sub.position).toEqual({ offset: 3, epoch: "e2" });
});

test("[SE3] a subscribe push on a live subscription moves it to a new epoch", async () => {
  const { socket, sub, seen } = await atFive();
  socket.push("subscribe", { channel: LOBBY, recovered: false, offset: 0, epoch: "e2" });
  socket.push("message", pub(LOBBY, 1));
  expect(seen.offsets).toEqual([1]);
  expect(seen.subscribed.at(-1)).toMatchObject({ recovered: false });
  expect(sub.position).toEqual({ offset: 1, epoch: "e2" });
});

test("a gap that stays is not hammered, and given up at last", async () => {
  const { h, socket, sub } = await atFive();
  socket.push("message", pub(LOBBY, 8));
  socket.reply("subscribe", subscribed(LOBBY, 5, { recovered: true }));
  expect(socket.all("subscribe")).toHaveLength(2);
  await h.clock.advance(1_000);
  expect(socket.all("subscribe")).toHaveLength(3);
  socket.reply("subscribe", subscribed(LOBBY, 5, { recovered: true }));
  await h.clock.advance(2_000);
  socket.reply("subscribe", subscribed(LOBBY, 5, { recovered: true }));
  await h.clock.advance(4_000);
  socket.reply("subscribe", subscribed(LOBBY, 5, { recovered: true }));
  const asked = socket.all("subscribe").length;
  await h.clock.advance(20_000);
  expect(socket.all("subscribe")).toHaveLength(asked);
  expect(sub.position?.offset).toBe(5);
});

test("[SE4] a connection that is not resumed subscribes again from the position", async () => {
  const { h, seen } = await atFive();
  h.socket.push("message", pub(LOBBY, 6));
  const socket = await h.reconnected();
  expect(socket.last("connect").data).toEqual({
    token: "token-1",
    session: "s1.secret",
    positions: { [LOBBY]: { offset: 6, epoch: "e1" } },
  });
  expect(since(socket)).toEqual({ offset: 6, epoch: "e1" });
  socket.reply(
    "subscribe",
    subscribed(LOBBY, 7, { recovered: true, publications: [pub(LOBBY, 7)] }),
  );
  expect(seen.offsets).toEqual([6, 7]);
});

test("[SE3] a resumed session is continued without a subscribe command", async () => {
  const { h, sub, seen } = await atFive();
  expect(sub.state).toBe("subscribed");
  h.socket.end();
  expect(sub.state).toBe("pending");
  await h.clock.advance(250);
  const socket = await h.welcome({ resumed: true, channels: [LOBBY] });
  socket.push("subscribe", { channel: LOBBY, recovered: true, offset: 5, epoch: "e1" });
  socket.push("message", pub(LOBBY, 6));
  expect(socket.all("subscribe")).toHaveLength(0);
  expect(seen.offsets).toEqual([6]);
  expect(seen.subscribed.at(-1)).toEqual({ recovered: true, position: { offset: 5, epoch: "e1" } });
});

test("[SE3] recovered: false of a resumed session is told", async () => {
  const { h, sub, seen } = await atFive();
  const socket = await h.reconnected({ resumed: true, channels: [LOBBY] });
  socket.push("subscribe", { channel: LOBBY, recovered: false, offset: 70, epoch: "e1" });
  expect(seen.subscribed.at(-1)).toMatchObject({ recovered: false });
  socket.push("message", pub(LOBBY, 71));
  expect(seen.offsets).toEqual([71]);
  expect(sub.state).toBe("subscribed");
});

test("a resume that starts behind the position is repaired by repeats alone, one ahead of it by recovery", async () => {
  const { h, seen } = await atFive();
  const behind = await h.reconnected({ resumed: true, channels: [LOBBY] });
  behind.push("subscribe", { channel: LOBBY, recovered: true, offset: 3, epoch: "e1" });
  for (const offset of [4, 5, 6]) behind.push("message", pub(LOBBY, offset));
  expect(seen.offsets).toEqual([6]);
  const ahead = await h.reconnected({ resumed: true, channels: [LOBBY] });
  ahead.push("subscribe", { channel: LOBBY, recovered: true, offset: 9, epoch: "e1" });
  expect(since(ahead)).toEqual({ offset: 6, epoch: "e1" });
});

test("a resumed session is made to match: what was left while away is left, what is new is subscribed", async () => {
  const { h, sub } = await atFive();
  h.socket.end();
  sub.unsubscribe();
  h.client.subscribe("chat:new");
  await h.clock.advance(250);
  const socket = await h.welcome({ resumed: true, channels: [LOBBY] });
  expect(socket.last("unsubscribe").data).toEqual({ channel: LOBBY });
  expect(socket.last("subscribe").data).toEqual({ channel: "chat:new" });
});

test("a resumed channel that the gateway forgets to tell of is asked for", async () => {
  const { h } = await atFive();
  const socket = await h.reconnected({ resumed: true, channels: [LOBBY] });
  await h.clock.advance(10_000);
  expect(since(socket)).toEqual({ offset: 5, epoch: "e1" });
});

test("a subscription whose first reply never came is asked for again, though the session has it", async () => {
  const h = new Harness();
  await h.connected();
  const sub = h.client.subscribe(LOBBY, { last: 3 });
  const seen = log(sub);
  const socket = await h.reconnected({ resumed: true, channels: [LOBBY] });
  socket.push("subscribe", { channel: LOBBY, recovered: true, offset: 9, epoch: "e1" });
  expect(socket.last("subscribe").data).toEqual({ channel: LOBBY, last: 3 });
  socket.reply("subscribe", subscribed(LOBBY, 9, { publications: [pub(LOBBY, 9)] }));
  expect(seen.offsets).toEqual([9]);
});

test("messages that overtake the reply wait for it", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const seen = log(h.client.subscribe(LOBBY));
  socket.push("message", pub(LOBBY, 7));
  socket.push("message", pub(LOBBY, 6));
  socket.reply("subscribe", subscribed(LOBBY, 6, { publications: [pub(LOBBY, 6)] }));
  expect(seen.offsets).toEqual([6, 7]);
});

test("since of the application is where it starts", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const sub = h.client.subscribe(LOBBY, { since: { offset: 3, epoch: "e1" } });
  const seen = log(sub);
  expect(sub.position).toEqual({ offset: 3, epoch: "e1" });
  socket.reply(
    "subscribe",
    subscribed(LOBBY, 4, { recovered: true, publications: [pub(LOBBY, 4)] }),
  );
  expect(await sub.ready).toEqual({ recovered: true, position: { offset: 4, epoch: "e1" } });
  expect(seen.offsets).toEqual([4]);
});

test("[PB4] own publications without echo advance the position by the reply", async () => {
  const { h, socket, sub, seen } = await atFive();
  const published = h.client.publish(LOBBY, "x", { echo: false });
  socket.reply("publish", { channel: LOBBY, offset: 6, epoch: "e1" });
  await published;
  expect(sub.position).toEqual({ offset: 6, epoch: "e1" });
  socket.push("message", pub(LOBBY, 7));
  expect(seen.offsets).toEqual([7]);
  expect(socket.all("subscribe")).toHaveLength(1);
});

test("[PB4] a reply ahead of others' messages fills its place when they came", async () => {
  const { h, socket, sub, seen } = await atFive();
  void h.client.publish(LOBBY, "x", { echo: false });
  socket.reply("publish", { channel: LOBBY, offset: 7, epoch: "e1" });
  expect(sub.position?.offset).toBe(5);
  socket.push("message", pub(LOBBY, 6));
  expect(sub.position?.offset).toBe(7);
  expect(seen.offsets).toEqual([6]);
});

test("[PB4] a message ahead of the own reply waits for it instead of being taken for a gap", async () => {
  const { h, socket, seen } = await atFive();
  void h.client.publish(LOBBY, "x", { echo: false });
  socket.push("message", pub(LOBBY, 7));
  expect(seen.offsets).toEqual([]);
  socket.reply("publish", { channel: LOBBY, offset: 6, epoch: "e1" });
  expect(seen.offsets).toEqual([7]);
  expect(socket.all("subscribe")).toHaveLength(1);
});

test("a real gap is repaired though own publishes never stop", async () => {
  const { h, socket, seen } = await atFive();
  const publish = () => void h.client.publish(LOBBY, "x").catch(() => {});
  publish();
  socket.push("message", pub(LOBBY, 8));
  for (let i = 0; i < 4; i++) {
    await h.clock.advance(500);
    publish();
    socket.refuse("publish", "internal");
    publish();
  }
  expect(since(socket)).toEqual({ offset: 5, epoch: "e1" });
  const publications = [pub(LOBBY, 6), pub(LOBBY, 7)];
  socket.reply("subscribe", subscribed(LOBBY, 7, { recovered: true, publications }));
  expect(seen.offsets).toEqual([6, 7, 8]);
});

test("[PB4] in a namespace that excludes senders no gap is seen at the own publication", async () => {
  const { h, socket, seen } = await atFive();
  void h.client.publish(LOBBY, "x");
  socket.reply("publish", { channel: LOBBY, offset: 6, epoch: "e1" });
  socket.push("message", pub(LOBBY, 7));
  expect(seen.offsets).toEqual([7]);
  expect(socket.all("subscribe")).toHaveLength(1);
});

test("an own publication with echo comes as a message, before or after its reply", async () => {
  const { h, socket, seen } = await atFive();
  void h.client.publish(LOBBY, "x");
  void h.client.publish(LOBBY, "y");
  const [first, second] = socket.all("publish");
  socket.push("publish", { channel: LOBBY, offset: 6, epoch: "e1" }, first?.id);
  socket.push("message", pub(LOBBY, 6));
  socket.push("message", pub(LOBBY, 7));
  socket.push("publish", { channel: LOBBY, offset: 7, epoch: "e1" }, second?.id);
  expect(seen.offsets).toEqual([6, 7]);
});

test("[PB4] the position push is a reply to a publish without an id", async () => {
  const { socket, sub } = await atFive();
  socket.push("position", { channel: LOBBY, offset: 6 });
  expect(sub.position?.offset).toBe(6);
});

test("[SU5] two subscribe calls share one subscription; the later gets its own start, then both the rest", async () => {
  const { h, socket, sub, seen } = await atFive();
  const other = h.client.subscribe(LOBBY, { last: 2 });
  const later = log(other);
  socket.push("message", pub(LOBBY, 6));
  expect(socket.last("subscribe").data).toEqual({ channel: LOBBY, last: 2 });
  socket.reply("subscribe", subscribed(LOBBY, 6, { publications: [pub(LOBBY, 5), pub(LOBBY, 6)] }));
  socket.push("message", pub(LOBBY, 7));
  expect(seen.offsets).toEqual([6, 7]);
  expect(later.offsets).toEqual([5, 6, 7]);
  sub.unsubscribe();
  expect(socket.all("unsubscribe")).toHaveLength(0);
  socket.push("message", pub(LOBBY, 8));
  expect(seen.offsets).toEqual([6, 7]);
  expect(later.offsets).toEqual([5, 6, 7, 8]);
  other.unsubscribe();
  expect(socket.last("unsubscribe").data).toEqual({ channel: LOBBY });
});

test("a later subscribe whose reply brings news brings them to all", async () => {
  const { h, socket, seen } = await atFive();
  const later = log(h.client.subscribe(LOBBY, { last: 2 }));
  socket.reply("subscribe", subscribed(LOBBY, 6, { publications: [pub(LOBBY, 5), pub(LOBBY, 6)] }));
  expect(seen.offsets).toEqual([6]);
  expect(later.offsets).toEqual([5, 6]);
});

test("a later subscribe that shows a gap has it repaired", async () => {
  const { h, socket } = await atFive();
  h.client.subscribe(LOBBY, { last: 0 });
  socket.reply("subscribe", subscribed(LOBBY, 9));
  expect(since(socket)).toEqual({ offset: 5, epoch: "e1" });
});

test("a later subscribe that is refused for now is tried again, and holds up nobody", async () => {
  const { h, socket, seen } = await atFive();
  const later = log(h.client.subscribe(LOBBY, { last: 1 }));
  socket.refuse("subscribe", "rate_limited", { retryAfterMs: 1_000 });
  socket.push("message", pub(LOBBY, 6));
  expect(seen.offsets).toEqual([6]);
  await h.clock.advance(1_500);
  socket.reply("subscribe", subscribed(LOBBY, 6, { publications: [pub(LOBBY, 6)] }));
  expect(later.offsets).toEqual([6]);
});

test("a later subscribe survives a break before its reply", async () => {
  const { h } = await atFive();
  const later = log(h.client.subscribe(LOBBY, { last: 1 }));
  const socket = await h.reconnected();
  socket.reply("subscribe", subscribed(LOBBY, 5, { recovered: true }));
  expect(socket.last("subscribe").data).toEqual({ channel: LOBBY, last: 1 });
  socket.reply("subscribe", subscribed(LOBBY, 5, { publications: [pub(LOBBY, 5)] }));
  expect(later.offsets).toEqual([5]);
});

test("a refusal for now is told and tried again after the time given", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const sub = h.client.subscribe(LOBBY);
  const codes: string[] = [];
  sub.on("error", (error) => codes.push(error.code));
  socket.refuse("subscribe", "rate_limited", { retryAfterMs: 800 });
  await h.clock.advance(800);
  expect(socket.all("subscribe")).toHaveLength(1);
  await h.clock.advance(250);
  expect(socket.all("subscribe")).toHaveLength(2);
  socket.reply("subscribe", subscribed(LOBBY, 0));
  expect(await sub.ready).toMatchObject({ position: { offset: 0, epoch: "e1" } });
  expect(codes).toEqual(["rate_limited"]);
});

test("[ER2] a refusal for good ends the subscription, also for later connections", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const sub = h.client.subscribe("secret:room");
  const ended: unknown[] = [];
  sub.on("unsubscribed", ({ error }) => ended.push(error?.code));
  const clientErrors: string[] = [];
  h.client.on("error", (error) => clientErrors.push(error.code));
  socket.refuse("subscribe", "forbidden");
  expect(await sub.ready.catch((e) => e.code)).toBe("forbidden");
  expect(sub.state).toBe("ended");
  expect(ended).toEqual(["forbidden"]);
  expect(clientErrors).toEqual(["forbidden"]);
  expect((await h.reconnected()).all("subscribe")).toHaveLength(0);
});

test("[SU7] an unsubscribe push ends it; one with a temporary code brings it back", async () => {
  const { h, socket, sub } = await atFive();
  socket.push("unsubscribe", { channel: LOBBY, code: "unavailable" });
  await h.clock.advance(250);
  expect(since(socket)).toEqual({ offset: 5, epoch: "e1" });
  socket.push("unsubscribe", { channel: LOBBY, code: "forbidden" });
  expect(sub.state).toBe("ended");
});

test("[SU6] a pattern gets the messages of its channels, and exact subscriptions theirs, from one copy", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const all = h.client.subscribe("orders:*");
  const eu = h.client.subscribe("orders:eu-*");
  const one = h.client.subscribe("orders:eu-1");
  const logs = [all, eu, one].map(log);
  const frames = socket.all("subscribe");
  socket.push("subscribe", { channel: "orders:*", recovered: false }, frames[0]?.id);
  socket.push("subscribe", { channel: "orders:eu-*", recovered: false }, frames[1]?.id);
  socket.push("subscribe", subscribed("orders:eu-1", 3), frames[2]?.id);
  expect(await all.ready).toEqual({ recovered: false, position: undefined });
  socket.push("message", pub("orders:eu-1", 4));
  socket.push("message", pub("orders:eu-1", 4));
  socket.push("message", pub("orders:us-1", 8));
  socket.push("message", pub("chat:x", 1));
  expect(logs.map((l) => l.offsets)).toEqual([[4, 8], [4], [4]]);
});

test("[SU6] a resumed pattern goes on", async () => {
  const h = new Harness();
  const first = await h.connected();
  const sub = h.client.subscribe("orders:*");
  first.reply("subscribe", { channel: "orders:*", recovered: false });
  const socket = await h.reconnected({ resumed: true, channels: ["orders:*"] });
  socket.push("subscribe", { channel: "orders:*", recovered: false });
  expect(sub.state).toBe("subscribed");
  expect(socket.all("subscribe")).toHaveLength(0);
});

test("unsubscribing and subscribing in one breath starts anew", async () => {
  const { h, socket, sub } = await atFive();
  sub.unsubscribe();
  const again = h.client.subscribe(LOBBY);
  const seen = log(again);
  expect(socket.sent.slice(-2).map((f) => f.action)).toEqual(["unsubscribe", "subscribe"]);
  socket.push("message", pub(LOBBY, 6));
  socket.reply("subscribe", subscribed(LOBBY, 6));
  socket.push("message", pub(LOBBY, 7));
  expect(seen.offsets).toEqual([7]);
});

test("a signal unsubscribes", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const abort = new AbortController();
  const sub = h.client.subscribe(LOBBY, { signal: abort.signal });
  abort.abort();
  expect(sub.state).toBe("ended");
  expect(socket.last("unsubscribe").data).toEqual({ channel: LOBBY });
  expect(await sub.ready.catch((e) => e.code)).toBe("closed");
  expect(h.client.subscribe(LOBBY, { signal: abort.signal }).state).toBe("ended");
});

test("[PR2] own presence is told again after a session was lost, not after a gap", async () => {
  const { h, socket, sub } = await atFive();
  void sub.setPresence({ status: "busy" });
  socket.reply("presence", { channel: LOBBY });
  void sub.setPresence({ data: { mood: 1 } });
  socket.reply("presence", { channel: LOBBY });
  socket.push("message", pub(LOBBY, 8));
  socket.reply("subscribe", subscribed(LOBBY, 8, { recovered: true }));
  expect(socket.all("presence")).toHaveLength(2);
  const next = await h.reconnected();
  next.reply("subscribe", subscribed(LOBBY, 8, { recovered: true }));
  expect(next.all("presence").map((f) => f.data)).toEqual([
    { channel: LOBBY, status: "busy", data: { mood: 1 } },
  ]);
});

test("[PR2] [LI6] own presence that is refused for now is told again later, unless the connection ends", async () => {
  const { h, sub } = await atFive();
  void sub.setPresence({ status: "busy" });
  const socket = await h.reconnected();
  socket.reply("subscribe", subscribed(LOBBY, 5, { recovered: true }));
  socket.all("presence").map(({ id }) => socket.push("presence", {}, id));
  expect(socket.all("presence")).toHaveLength(2);
  socket.refuse("presence", "rate_limited", { retryAfterMs: 3_000 });
  const next = await h.reconnected();
  next.reply("subscribe", subscribed(LOBBY, 5, { recovered: true }));
  next.refuse("presence", "rate_limited", { retryAfterMs: 3_000 });
  await h.clock.advance(2_999);
  expect(next.all("presence")).toHaveLength(1);
  await h.clock.advance(16_000);
  expect(next.last("presence").data).toEqual({ channel: LOBBY, status: "busy" });
  expect(next.all("presence")).toHaveLength(2);
  next.reply("presence", {});
  await h.clock.advance(20_000);
  expect(next.all("presence")).toHaveLength(2);
});

test("more positions than one frame takes are recovered channel by channel on a fresh session", async () => {
  const h = new Harness();
  const first = await h.connected();
  for (let i = 0; i < 513; i++) {
    h.client.subscribe(`n:${i}`);
    first.reply("subscribe", subscribed(`n:${i}`, i));
  }
  const socket = await h.reconnected();
  expect(socket.last("connect").data).toEqual({ token: "token-1" });
  expect(socket.all("subscribe")).toHaveLength(513);
  expect(since(socket)).toEqual({ offset: 512, epoch: "e1" });
});

test("listeners may leave, publish and close in the midst of a recovery", async () => {
  const { h, socket, sub } = await atFive();
  const seen: number[] = [];
  sub.on("message", (m: Message) => {
    seen.push(m.offset);
    void h.client.publish(LOBBY, "from a listener").catch(() => {});
    if (m.offset === 7) sub.unsubscribe();
  });
  socket.push("message", pub(LOBBY, 8));
  const publications = [pub(LOBBY, 6), pub(LOBBY, 7), pub(LOBBY, 8)];
  socket.reply("subscribe", subscribed(LOBBY, 8, { recovered: true, publications }));
  expect(seen).toEqual([6, 7]);
  h.client.close();
  await settled();
  expect(h.errors).toEqual([]);
});

test("[BP3] what was left out is told in its place, and is no gap to repair", async () => {
  const { socket, sub, seen } = await atFive();
  const order: unknown[] = [];
  sub.on("message", ({ offset }) => order.push(offset));
  sub.on("skipped", ({ count }) => order.push(`${count} skipped`));
  socket.push("message", pub(LOBBY, 6));
  socket.push("position", { channel: LOBBY, offset: 9, skipped: 3 });
  socket.push("message", pub(LOBBY, 10));
  expect(order).toEqual([6, "3 skipped", 10]);
  expect(sub.position).toEqual({ offset: 10, epoch: "e1" });
  expect(seen.subscribed).toHaveLength(1);
  expect(socket.all("subscribe")).toHaveLength(1);
});

test("[BP3] what is held back is delivered before what was left out is told", async () => {
  const { h, socket, sub } = await atFive();
  const order: unknown[] = [];
  sub.on("message", ({ offset }) => order.push(offset));
  sub.on("skipped", ({ count }) => order.push(`${count} skipped`));
  // Its answer may explain the gap before 7.
  const own = h.client.publish(LOBBY, 1, { echo: false });
  socket.push("message", pub(LOBBY, 7));
  socket.push("position", { channel: LOBBY, offset: 9, skipped: 2 });
  socket.push("message", pub(LOBBY, 10));
  socket.reply("publish", { channel: LOBBY, offset: 6, epoch: "e1" });
  await own;
  expect(order).toEqual([7, "2 skipped", 10]);
  expect(socket.all("subscribe")).toHaveLength(1);
});

test("[BP3] while it is subscribed anew, the answer counts", async () => {
  const { socket, sub, seen } = await atFive();
  socket.push("message", pub(LOBBY, 8));
  socket.push("position", { channel: LOBBY, offset: 20, skipped: 12 });
  const publications = [pub(LOBBY, 6), pub(LOBBY, 7), pub(LOBBY, 8)];
  socket.reply("subscribe", subscribed(LOBBY, 8, { recovered: true, publications }));
  expect([seen.offsets, sub.position?.offset]).toEqual([[6, 7, 8], 8]);
});

test("[BP1] every subscribe on the wire asks for the policy of the first", async () => {
  const h = new Harness();
  const socket = await h.connected();
  h.client.subscribe(LOBBY, { slow: "latest" });
  socket.reply("subscribe", subscribed(LOBBY, 5));
  await settled();
  h.client.subscribe(LOBBY, { last: 3 });
  const asked = socket.all("subscribe").map(({ data }) => data["slow"]);
  expect(asked).toEqual(["latest", "latest"]);
});
