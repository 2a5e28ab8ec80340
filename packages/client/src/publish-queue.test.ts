import { expect, test } from "bun:test";
import { settled } from "../test/support/fake-clock.ts";
import type { FakeSocket, SentFrame } from "../test/support/fake-socket.ts";
import { Harness } from "../test/support/harness.ts";
import type { PublishBody } from "./index.ts";

const A = "chat:a";
const B = "chat:b";

function bodies(socket: FakeSocket): unknown[] {
  return socket.all("publish").map((frame) => frame.data["data"]);
}

function keyOf(frame: SentFrame | undefined): unknown {
  return frame?.data["idempotencyKey"];
}

function done(socket: FakeSocket, frame: SentFrame | undefined, offset: number): void {
  const channel = frame?.data["channel"];
  socket.push("publish", { channel, offset, epoch: "e1" }, frame?.id);
}

/** What became of each publish, in the order of the settling. */
function outcomes() {
  const seen: string[] = [];
  const watch = (name: string, promise: Promise<PublishBody>) => {
    promise.then(
      (body) => seen.push(`${name}: ${body.offset}`),
      (error) => seen.push(`${name}: ${error.code ?? error}`),
    );
  };
  return { seen, watch };
}

test("while connected publishes go out at once, many at a time, each with its own key", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const { seen, watch } = outcomes();
  for (const n of [1, 2, 3]) watch(`${n}`, h.client.publish(A, n, { event: "say", version: n }));
  expect(bodies(socket)).toEqual([1, 2, 3]);
  const frames = socket.all("publish");
  expect(new Set(frames.map(keyOf)).size).toBe(3);
  expect(frames[0]?.data).toMatchObject({ channel: A, event: "say", version: 1 });
  for (const [i, frame] of frames.entries()) done(socket, frame, i + 1);
  await settled();
  expect(seen).toEqual(["1: 1", "2: 2", "3: 3"]);
});

test("publishes made before connecting wait and go in order, one at a time in a channel", async () => {
  const h = new Harness();
  const { seen, watch } = outcomes();
  watch("a1", h.client.publish(A, "a1"));
  watch("a2", h.client.publish(A, "a2"));
  watch("b1", h.client.publish(B, "b1"));
  const socket = await h.connected();
  expect(bodies(socket)).toEqual(["a1", "b1"]);
  watch("a3", h.client.publish(A, "a3"));
  expect(bodies(socket)).toEqual(["a1", "b1"]);
  done(socket, socket.all("publish")[0], 1);
  expect(bodies(socket)).toEqual(["a1", "b1", "a2"]);
  done(socket, socket.all("publish")[2], 2);
  done(socket, socket.all("publish")[3], 3);
  await settled();
  expect(seen).toEqual(["a1: 1", "a2: 2", "a3: 3"]);
});

test("[PB2] what was on its way in a break is sent again, in order, with the same keys", async () => {
  const h = new Harness();
  const first = await h.connected();
  const { seen, watch } = outcomes();
  for (const n of [1, 2]) watch(`${n}`, h.client.publish(A, n));
  const keys = first.all("publish").map(keyOf);
  const socket = await h.reconnected();
  expect(bodies(socket)).toEqual([1]);
  done(socket, socket.last("publish"), 7);
  expect(bodies(socket)).toEqual([1, 2]);
  done(socket, socket.last("publish"), 8);
  expect(socket.all("publish").map(keyOf)).toEqual(keys);
  await settled();
  expect(seen).toEqual(["1: 7", "2: 8"]);
});

test("data is taken as it is at the call", async () => {
  const h = new Harness();
  const data = { text: "before" };
  void h.client.publish(A, data);
  data.text = "after";
  expect(bodies(await h.connected())).toEqual([{ text: "before" }]);
});

test("what JSON cannot say is refused at once", async () => {
  const h = new Harness();
  expect(await h.client.publish(A, undefined).catch((e) => e.code)).toBe("bad_request");
  expect(await h.client.publish(A, 1n).catch((e) => e.name)).toBe("TypeError");
});

test("temporary errors of backlog are retried in order after the time given", async () => {
  const h = new Harness();
  const { seen, watch } = outcomes();
  for (const n of [1, 2]) watch(`${n}`, h.client.publish(A, n));
  const socket = await h.connected();
  socket.refuse("publish", "rate_limited", { retryAfterMs: 2_000 });
  await h.clock.advance(2_000);
  expect(bodies(socket)).toEqual([1]);
  await h.clock.advance(500);
  expect(bodies(socket)).toEqual([1, 1]);
  done(socket, socket.last("publish"), 1);
  done(socket, socket.last("publish"), 2);
  await settled();
  expect(seen).toEqual(["1: 1", "2: 2"]);
});

test("[PB2] a publish that was only ever refused may be repeated for as long as it takes; one without answer may not", async () => {
  const h = new Harness({ publishRepeatMs: 60_000 });
  const { seen, watch } = outcomes();
  watch("refused", h.client.publish(A, 1));
  const quiet = { pingIntervalMs: 3_600_000 };
  const socket = await h.connected(quiet);
  for (let minute = 0; minute < 3; minute++) {
    socket.refuse("publish", "rate_limited", { retryAfterMs: 59_000 });
    await h.clock.advance(65_000);
  }
  done(socket, socket.last("publish"), 1);
  await settled();
  expect(seen).toEqual(["refused: 1"]);
  watch("lost", h.client.publish(A, 2));
  const next = await h.reconnected(quiet);
  next.refuse("publish", "rate_limited", { retryAfterMs: 61_000 });
  await h.clock.advance(70_000);
  expect(seen).toEqual(["refused: 1", "lost: unconfirmed"]);
});

test("a publish on a live connection is told of a temporary error at once", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const published = h.client.publish(A, 1);
  socket.refuse("publish", "rate_limited", { retryAfterMs: 800 });
  const error = await published.catch((e) => e);
  expect(error).toMatchObject({ code: "rate_limited", temporary: true, retryAfterMs: 800 });
});

test("permanent errors are told, and hold up nothing", async () => {
  const h = new Harness();
  const { seen, watch } = outcomes();
  for (const n of [1, 2]) watch(`${n}`, h.client.publish(A, n));
  const socket = await h.connected();
  socket.refuse("publish", "forbidden");
  done(socket, socket.last("publish"), 1);
  await settled();
  expect(seen).toEqual(["1: forbidden", "2: 1"]);
});

test("the queue is bounded by count", async () => {
  const h = new Harness({ publishQueueMax: 2 });
  const { seen, watch } = outcomes();
  for (const n of [1, 2, 3]) watch(`${n}`, h.client.publish(A, n));
  await settled();
  expect(seen).toEqual(["3: queue_full"]);
  const socket = await h.connected();
  done(socket, socket.last("publish"), 1);
  watch("4", h.client.publish(A, 4));
  done(socket, socket.last("publish"), 2);
  done(socket, socket.last("publish"), 3);
  await settled();
  expect(seen).toEqual(["3: queue_full", "1: 1", "2: 2", "4: 3"]);
});

test("the queue is bounded by bytes, which are given back", async () => {
  const h = new Harness({ publishQueueMaxBytes: 1_000 });
  const big = "é".repeat(300);
  const { seen, watch } = outcomes();
  watch("1", h.client.publish(A, big));
  watch("2", h.client.publish(A, big));
  await settled();
  expect(seen).toEqual(["2: queue_full"]);
  const socket = await h.connected();
  done(socket, socket.last("publish"), 1);
  watch("3", h.client.publish(A, big));
  done(socket, socket.last("publish"), 2);
  await settled();
  expect(seen).toEqual(["2: queue_full", "1: 1", "3: 2"]);
});

test("[FR5] a message over the frame limit is refused instead of costing the connection", async () => {
  const h = new Harness();
  const { seen, watch } = outcomes();
  watch("big", h.client.publish(A, "x".repeat(5_000)));
  watch("small", h.client.publish(A, "x"));
  const socket = await h.connected({ frameMaxBytes: 4_096 });
  done(socket, socket.last("publish"), 1);
  await settled();
  expect(seen).toEqual(["big: too_large", "small: 1"]);
});

test("a signal gives up what waits, and the next goes", async () => {
  const h = new Harness();
  const abort = new AbortController();
  const { seen, watch } = outcomes();
  watch("1", h.client.publish(A, 1, { signal: abort.signal }));
  watch("2", h.client.publish(A, 2));
  abort.abort("gone");
  const socket = await h.connected();
  expect(bodies(socket)).toEqual([2]);
  await settled();
  expect(seen).toEqual(["1: gone"]);
});

test("a signal that is aborted already sends nothing", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const published = h.client.publish(A, 1, { signal: AbortSignal.abort("no") });
  expect(await published.catch((e) => e)).toBe("no");
  expect(bodies(socket)).toEqual([]);
});

test("a timeout gives up, also what was sent; it is not sent again", async () => {
  const h = new Harness();
  const { seen, watch } = outcomes();
  await h.connected();
  watch("1", h.client.publish(A, 1, { timeoutMs: 3_000 }));
  await h.clock.advance(3_000);
  expect(seen).toEqual(["1: timeout"]);
  expect(bodies(await h.reconnected())).toEqual([]);
});

test("[PB4] the reply to an abandoned publish still moves the position", async () => {
  const h = new Harness();
  const socket = await h.connected();
  const sub = h.client.subscribe(A);
  socket.reply("subscribe", { channel: A, recovered: false, offset: 5, epoch: "e1" });
  const abort = new AbortController();
  const published = h.client.publish(A, 1, { echo: false, signal: abort.signal });
  abort.abort("gone");
  expect(await published.catch((e) => e)).toBe("gone");
  done(socket, socket.last("publish"), 6);
  expect(sub.position?.offset).toBe(6);
});

test("[PB2] what was sent too long ago to be repeated safely is unconfirmed", async () => {
  const h = new Harness();
  const { seen, watch } = outcomes();
  await h.connected();
  watch("1", h.client.publish(A, 1));
  h.surroundings.set({ online: false });
  h.socket.end();
  watch("2", h.client.publish(A, 2));
  h.clock.sleep(600_000);
  h.surroundings.set({ online: true });
  await h.clock.advance(250);
  const socket = await h.welcome();
  expect(bodies(socket)).toEqual([2]);
  await settled();
  expect(seen).toEqual(["1: unconfirmed"]);
});

test("no answer on a living connection: checked, asked again with the same key, then given up", async () => {
  const h = new Harness();
  const socket = await h.connected();
  socket.onSent = (frame) => {
    if (frame.action === "ping") socket.push("pong", { at: 1 }, frame.id);
  };
  const { seen, watch } = outcomes();
  watch("1", h.client.publish(A, 1));
  await h.clock.advance(35_000);
  expect(seen).toEqual(["1: timeout"]);
  expect(socket.all("publish")).toHaveLength(3);
  expect(new Set(socket.all("publish").map(keyOf)).size).toBe(1);
  expect(socket.all("ping").length).toBeGreaterThan(0);
  expect(h.sockets).toHaveLength(1);
});

test("no answer on a dead connection: it is replaced, and the publish sent again", async () => {
  const h = new Harness();
  await h.connected();
  const published = h.client.publish(A, 1);
  await h.clock.advance(10_000 + 5_000 + 250);
  const socket = await h.welcome();
  done(socket, socket.last("publish"), 1);
  expect(await published).toMatchObject({ offset: 1 });
});

test("close rejects what waits; a closed client takes no more", async () => {
  const h = new Harness();
  const { seen, watch } = outcomes();
  watch("1", h.client.publish(A, 1));
  await h.connected();
  watch("2", h.client.publish(B, 2));
  h.client.close();
  watch("3", h.client.publish(A, 3));
  await settled();
  expect(seen).toEqual(["1: closed", "2: closed", "3: closed"]);
  expect(h.clock.pending).toBe(0);
});
