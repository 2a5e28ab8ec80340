import { expect, test } from "bun:test";
import type { Json, Message } from "@aldis/client";
import { RecoveryWatch, tellRecovery } from "./recovery.ts";
import { Timeline } from "./timeline.ts";

function message(offset: number, data: Json = { text: `m${offset}` }): Message {
  return {
    channel: "chat:lobby",
    offset,
    at: offset,
    from: { user: "ann", connection: "c" },
    data,
  };
}

const texts = (timeline: Timeline) => timeline.entries().map(({ text }) => text);

test("messages stand in the channel's order, whichever came first", () => {
  const timeline = new Timeline();
  for (const offset of [3, 1, 2]) timeline.add(message(offset));
  expect(texts(timeline)).toEqual(["m1", "m2", "m3"]);
  expect(timeline.firstOffset).toBe(1);
});

test("a message that comes twice stands there once, and is counted", () => {
  const timeline = new Timeline();
  timeline.add(message(1));
  timeline.add(message(1));
  expect(texts(timeline)).toEqual(["m1"]);
  expect(timeline.repeats).toBe(1);
});

test.each(["message first", "answer first"])("a pending message is confirmed once: %s", (order) => {
  const timeline = new Timeline();
  timeline.addPending({ key: "k", user: "ann", text: "hello", atMs: 5 });
  timeline.add(message(1));
  expect(timeline.entries().map(({ delivery }) => delivery)).toEqual(["sent", "pending"]);
  const steps = [
    () => timeline.add(message(2, { text: "hello", key: "k" })),
    () => timeline.confirm("k", 2),
  ];
  for (const step of order === "message first" ? steps : steps.reverse()) step();
  expect(timeline.entries()).toMatchObject([
    { offset: 1 },
    { id: "k", offset: 2, delivery: "sent", text: "hello" },
  ]);
  expect(timeline.repeats).toBe(0);
});

test("another user's message with the same key is not ours", () => {
  const timeline = new Timeline();
  timeline.add(message(1, { text: "first", key: "k" }));
  timeline.addPending({ key: "k", user: "ann", text: "hello", atMs: 5 });
  expect(texts(timeline)).toEqual(["first", "hello"]);
});

test("a failed message stays, and can be tried again under its key", () => {
  const timeline = new Timeline();
  timeline.addPending({ key: "k", user: "ann", text: "hello", atMs: 5 });
  timeline.fail("k");
  expect(timeline.entries()[0]?.delivery).toBe("failed");
  expect(timeline.retry("k")).toBe("hello");
  expect(timeline.entries()[0]?.delivery).toBe("pending");
  expect(timeline.retry("other")).toBeUndefined();
});

test("clearing keeps what is still to be sent", () => {
  const timeline = new Timeline();
  timeline.add(message(1));
  timeline.addPending({ key: "k", user: "ann", text: "hello", atMs: 5 });
  timeline.clearSent();
  expect(texts(timeline)).toEqual(["hello"]);
});

test.each<[Json, string]>([
  ["plain", "plain"],
  [{ text: "said" }, "said"],
  [{ order: 7 }, '{"order":7}'],
  [[1, "two"], '[1,"two"]'],
  [null, "null"],
  [{ text: 5 }, '{"text":5}'],
])("whatever a backend publishes is shown: %j", (data, shown) => {
  const timeline = new Timeline();
  timeline.add(message(1, data));
  expect(texts(timeline)).toEqual([shown]);
});

test("a recovery is told once everything is here, and not before", () => {
  const timeline = new Timeline();
  const watch = new RecoveryWatch(timeline);
  timeline.add(message(1));
  watch.broke(1, 1_000);
  watch.continued(4, 9_400);
  timeline.add(message(2));
  timeline.add(message(3));
  expect(watch.take()).toBeUndefined();
  timeline.add(message(4));
  const recovery = watch.take();
  expect(recovery).toEqual({ awayMs: 8_400, recovered: 3, repeats: 0 });
  expect(watch.take()).toBeUndefined();
  expect(timeline.entries().map(({ recovered }) => recovered)).toEqual([false, true, true, true]);
  if (recovery !== undefined) {
    expect(tellRecovery(recovery)).toBe(
      "Back after 8.4 s: 3 messages recovered, none lost, none twice.",
    );
  }
});

test("what this tab sent itself is no recovered message", () => {
  const timeline = new Timeline();
  const watch = new RecoveryWatch(timeline);
  watch.broke(0, 0);
  timeline.addPending({ key: "k", user: "ann", text: "mine", atMs: 5 });
  timeline.add(message(1));
  timeline.confirm("k", 2);
  watch.continued(2, 1_000);
  expect(watch.take()?.recovered).toBe(1);
  expect(timeline.entries().map(({ recovered }) => recovered)).toEqual([true, false]);
});

test("a break within a recovery goes on from the first one's place", () => {
  const timeline = new Timeline();
  const watch = new RecoveryWatch(timeline);
  timeline.add(message(1));
  watch.broke(1, 0);
  watch.continued(3, 1_000);
  timeline.add(message(2));
  watch.broke(2, 2_000);
  watch.continued(3, 3_000);
  timeline.add(message(3));
  expect(watch.take()).toMatchObject({ recovered: 2 });
});

test("what cannot be continued is not claimed to be recovered", () => {
  const timeline = new Timeline();
  const watch = new RecoveryWatch(timeline);
  watch.broke(1, 0);
  watch.giveUp();
  watch.continued(9, 1_000);
  expect(watch.take()).toBeUndefined();
});

test("the words are those of what was counted", () => {
  expect(tellRecovery({ awayMs: 500, recovered: 0, repeats: 0 })).toContain("nothing is lost");
  expect(tellRecovery({ awayMs: 500, recovered: 1, repeats: 2 })).toBe(
    "Back after 0.5 s: 1 message recovered, none lost, 2 came twice.",
  );
});
