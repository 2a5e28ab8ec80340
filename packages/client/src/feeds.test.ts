/** Which channels the session has, and which the client: grants of a backend, and what was left (SE9, SU7). */
import { expect, test } from "bun:test";
import { settled } from "../test/support/fake-clock.ts";
import { Harness, pub, subscribed } from "../test/support/harness.ts";
import type { Message, Subscription } from "./index.ts";

const LOBBY = "chat:lobby";

function grant(offset: number, more: object = {}): object {
  return { channel: LOBBY, recovered: false, offset, epoch: "e1", granted: true, ...more };
}

/** A client whose backend has put it into the lobby at offset 5, and all that it was told. */
async function granted(h = new Harness()) {
  const grants: Subscription[] = [];
  const seen: string[] = [];
  h.client.on("granted", (sub) => {
    grants.push(sub);
    seen.push(`granted ${sub.channel}`);
    sub.on("subscribed", ({ recovered }) => seen.push(`recovered: ${recovered}`));
    sub.on("message", (m: Message) => seen.push(`message ${m.offset}`));
    sub.on("skipped", ({ count }) => seen.push(`skipped ${count}`));
    sub.on("error", ({ code }) => seen.push(`error ${code}`));
    sub.on("unsubscribed", ({ error }) => seen.push(`ended ${error?.code}`));
  });
  const socket = await h.connected();
  socket.push("subscribe", grant(5));
  const [sub] = grants;
  if (sub === undefined) throw new Error("no grant was told");
  return { h, socket, sub, seen, grants };
}

test("[SE9] a channel that the backend grants is handed out before its messages, and asks for nothing", async () => {
  const { socket, sub, seen } = await granted();
  for (const offset of [6, 7, 7]) socket.push("message", pub(LOBBY, offset));
  expect(seen).toEqual([`granted ${LOBBY}`, "recovered: false", "message 6", "message 7"]);
  expect(sub).toMatchObject({ state: "subscribed", position: { offset: 7, epoch: "e1" } });
  expect(await sub.ready).toMatchObject({ recovered: false });
  expect(socket.all("subscribe")).toEqual([]);
});

test("[SE9] [SU4] [BP3] gaps of a granted channel are repaired, and what was left out is told", async () => {
  const { socket, seen } = await granted();
  socket.push("message", pub(LOBBY, 8));
  expect(socket.last("subscribe").data).toMatchObject({ since: { offset: 5, epoch: "e1" } });
  const publications = [pub(LOBBY, 6), pub(LOBBY, 7), pub(LOBBY, 8)];
  socket.reply("subscribe", subscribed(LOBBY, 8, { recovered: true, publications }));
  socket.push("position", { channel: LOBBY, offset: 10, skipped: 2 });
  socket.push("message", pub(LOBBY, 11));
  const messages = [6, 7, 8].map((offset) => `message ${offset}`);
  expect(seen.slice(2)).toEqual(["recovered: true", ...messages, "skipped 2", "message 11"]);
});

test("[SE9] across a resume the grant is kept, from where it stands", async () => {
  const { h, seen } = await granted();
  const welcome = { resumed: true, channels: [LOBBY], granted: [LOBBY] };
  const socket = await h.reconnected(welcome);
  expect(socket.last("connect").data["positions"]).toEqual({ [LOBBY]: { offset: 5, epoch: "e1" } });
  socket.push("subscribe", grant(5, { recovered: true }));
  socket.push("message", pub(LOBBY, 6));
  expect(seen.slice(2)).toEqual(["recovered: true", "message 6"]);
  expect(socket.all("unsubscribe")).toEqual([]);
});

test("[SE9] a grant whose push was lost with the connection is told at the resume, and not left", async () => {
  const h = new Harness();
  const grants: Subscription[] = [];
  h.client.on("granted", (sub) => grants.push(sub));
  await h.connected();
  const socket = await h.reconnected({ resumed: true, channels: [LOBBY], granted: [LOBBY] });
  socket.push("subscribe", grant(5, { recovered: true }));
  expect(grants.map(({ channel }) => channel)).toEqual([LOBBY]);
  // The application knows nothing of the channel: to it nothing was recovered.
  expect(await grants[0]?.ready).toMatchObject({ recovered: false });
  expect(socket.all("unsubscribe")).toEqual([]);
});

test("[SE9] a fresh session has no grants: subscribed to anew from where it stands, else its end", async () => {
  const { h, seen } = await granted();
  const second = await h.reconnected();
  expect(second.last("subscribe").data).toMatchObject({ since: { offset: 5, epoch: "e1" } });
  second.reply(
    "subscribe",
    subscribed(LOBBY, 6, { recovered: true, publications: [pub(LOBBY, 6)] }),
  );
  const third = await h.reconnected();
  third.refuse("subscribe", "forbidden");
  const told = ["recovered: true", "message 6", "error forbidden", "ended forbidden"];
  expect(seen.slice(2)).toEqual(told);
});

test("[SE9] [SU7] the gateway ends a grant, and may give it again", async () => {
  const { socket, sub, seen, grants } = await granted();
  socket.push("unsubscribe", { channel: LOBBY, code: "forbidden" });
  expect(seen.slice(2)).toEqual(["error forbidden", "ended forbidden"]);
  expect(sub.state).toBe("ended");
  socket.push("message", pub(LOBBY, 6));
  socket.push("subscribe", grant(6));
  socket.push("message", pub(LOBBY, 7));
  expect(grants).toHaveLength(2);
  expect(seen.slice(4)).toEqual([`granted ${LOBBY}`, "recovered: false", "message 7"]);
});

test("[SE9] the application ends a grant, at once if it likes", async () => {
  const h = new Harness();
  const messages: unknown[] = [];
  h.client.on("granted", (sub) => {
    sub.on("message", (message) => messages.push(message));
    sub.unsubscribe();
  });
  const socket = await h.connected();
  socket.push("subscribe", grant(5));
  socket.push("message", pub(LOBBY, 6));
  expect(socket.last("unsubscribe").data).toEqual({ channel: LOBBY });
  expect(messages).toEqual([]);
  expect(h.errors).toEqual([]);
});

test("[SE9] a subscribe of the application shares the feed; each ends alone, the last one on the wire", async () => {
  const { h, socket, sub, seen } = await granted();
  const own = h.client.subscribe(LOBBY, { slow: "latest" });
  const offsets: number[] = [];
  own.on("message", (m: Message) => offsets.push(m.offset));
  expect(socket.last("subscribe").data).toEqual({ channel: LOBBY, slow: "latest" });
  socket.reply("subscribe", subscribed(LOBBY, 5));
  await own.ready;
  socket.push("message", pub(LOBBY, 6));
  sub.unsubscribe();
  socket.push("message", pub(LOBBY, 7));
  expect(offsets).toEqual([6, 7]);
  expect(seen.slice(2)).toEqual(["message 6", "ended undefined"]);
  expect(socket.all("unsubscribe")).toEqual([]);
  own.unsubscribe();
  expect(socket.all("unsubscribe")).toHaveLength(1);
});

test("[SE9] a channel that the application had subscribed to itself is not told as granted", async () => {
  const h = new Harness();
  const grants: Subscription[] = [];
  h.client.on("granted", (sub) => grants.push(sub));
  const first = await h.connected();
  const own = h.client.subscribe(LOBBY);
  first.push("subscribe", grant(4));
  first.reply("subscribe", subscribed(LOBBY, 5));
  const socket = await h.reconnected({ resumed: true, channels: [LOBBY], granted: [LOBBY] });
  socket.push("subscribe", grant(5, { recovered: true }));
  expect(own.state).toBe("subscribed");
  expect(grants).toEqual([]);
});

test("[SE9] a grant that was left while away is left at the resume, and its push is not taken for a new one", async () => {
  const { h, sub, grants } = await granted();
  h.socket.end();
  sub.unsubscribe();
  await h.clock.advance(250);
  const welcome = { resumed: true, channels: [LOBBY], granted: [LOBBY] };
  const socket = await h.welcome(welcome);
  expect(socket.last("unsubscribe").data).toEqual({ channel: LOBBY });
  socket.push("subscribe", grant(5, { recovered: true }));
  expect(grants).toHaveLength(1);
  socket.reply("unsubscribe", { channel: LOBBY });
  socket.push("subscribe", grant(9));
  expect(grants).toHaveLength(2);
});

test("[LI9] an unsubscribe that is refused for now, or lost, is repeated", async () => {
  const { h, socket, sub } = await granted();
  sub.unsubscribe();
  socket.refuse("unsubscribe", "rate_limited", { retryAfterMs: 2_000 });
  await h.clock.advance(1_999);
  expect(socket.all("unsubscribe")).toHaveLength(1);
  await h.clock.advance(5_000);
  expect(socket.all("unsubscribe")).toHaveLength(2);
  const welcome = { resumed: true, channels: [LOBBY], granted: [LOBBY] };
  const next = await h.reconnected(welcome);
  expect(next.all("unsubscribe")).toHaveLength(1);
  next.reply("unsubscribe", { channel: LOBBY });
  h.socket.end();
  await settled();
  expect((await h.reconnected({ resumed: true, channels: [] })).all("unsubscribe")).toEqual([]);
});

test("[SE9] after close nothing of a grant is left running", async () => {
  const { h, socket, sub } = await granted();
  const other = h.client.subscribe("chat:other");
  sub.unsubscribe();
  socket.refuse("unsubscribe", "rate_limited", { retryAfterMs: 2_000 });
  h.client.close();
  expect(other.state).toBe("pending");
  expect(h.clock.pending).toBe(0);
});
