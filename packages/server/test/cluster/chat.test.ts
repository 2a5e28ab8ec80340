/** Chat over several nodes: one Redis, one database that all of them write to. */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChatMessage } from "@aldis/protocol";
import type { ConfigInput } from "@aldis/server";
import { eventually, type RawClient, startGatewayProcess, startRedis } from "@aldis/testkit";
import { startNodes } from "./nodes.ts";

const room = "chat:lobby";

/** A file for all nodes, that goes with the test. */
function sharedFile(): Disposable & { readonly store: NonNullable<ConfigInput["store"]> } {
  const folder = mkdtempSync(join(tmpdir(), "aldis-chat-nodes-"));
  return {
    store: { url: `sqlite:${join(folder, "chat.db")}` },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function open({
  chat = {},
  redis: more = {},
}: {
  chat?: ConfigInput["chat"];
  redis?: ConfigInput["redis"];
} = {}) {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const { store } = stack.use(sharedFile());
  const nodes = stack.use(await startNodes(redis.url, { config: { store, chat, redis: more } }));
  const kept = stack.move();
  return { redis, nodes, store, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

function saidTo({ all }: RawClient): ChatMessage[] {
  return all
    .filter(({ action, data }) => action === "message" && data.event === "chat.message")
    .map(({ data }) => data.data.message);
}

async function everything(client: RawClient): Promise<ChatMessage[]> {
  const { messages } = await client.must("chat_history", { room, limit: 200 });
  return messages;
}

describe("chat on two nodes", () => {
  test("faults 21: what is said on both at once has one order, and the same key on both is one message", async () => {
    await using t = await open();
    const [one, two] = [t.nodes.at(0), t.nodes.at(1)];
    const here = await one.connect({ sub: "ann" });
    const there = await two.connect({ sub: "ann" });
    for (const client of [here, there]) await client.must("subscribe", { channel: room });
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => {
        const saying = { room, text: `t${i}`, idempotencyKey: `k${i}` };
        return Promise.all([here.must("chat", saying), there.must("chat", saying)]);
      }),
    );
    for (const [a, b] of answers) {
      expect([a.seq, a.id, a.at]).toEqual([b.seq, b.id, b.at]);
      expect([a.duplicate, b.duplicate].filter(Boolean)).toHaveLength(1);
    }
    const messages = await everything(here);
    expect(messages.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    for (const client of [here, there]) {
      await eventually("all publications", () => saidTo(client).length >= 40);
      await client.settle();
      const seqs = saidTo(client).map(({ seq }) => seq);
      expect(seqs.toSorted((a, b) => a - b)).toEqual(messages.map(({ seq }) => seq));
    }
    expect(await everything(there)).toEqual(messages);
  });

  test("[CT11] who is removed here is out there", async () => {
    await using t = await open();
    const [one, two] = [t.nodes.at(0), t.nodes.at(1)];
    const ann = await one.connect({ sub: "ann" });
    const ben = await two.connect({ sub: "ben" });
    const team = "chat:team";
    await ann.must("chat_create_room", { room: team, members: [{ user: "ben" }] });
    await ben.must("chat", { room: team, text: "hi" });
    await ann.must("chat_remove_member", { room: team, user: "ben" });
    await eventually("ben to be out", async () => {
      const answer = await ben.ask("chat", { room: team, text: "still here?" });
      return answer.action === "error" && answer.data.code === "forbidden";
    });
    const told = ben.all.filter(({ action }) => action === "chat_member");
    expect(told.map(({ data }) => data)).toEqual([
      { room: team, user: "ben", role: "member" },
      { room: team, user: "ben" },
    ]);
  });

  test("[CT4] who waits there for a name to be taken is out when it becomes a private room here", async () => {
    await using t = await open();
    const [one, two] = [t.nodes.at(0), t.nodes.at(1)];
    const board = "chat:board";
    const ann = await one.connect({ sub: "ann" });
    const eve = await two.connect({ sub: "eve" });
    await eve.must("subscribe", { channel: board });
    await ann.must("chat_create_room", { room: board, access: "private" });
    expect((await eve.next("unsubscribe")).data).toEqual({ channel: board, code: "forbidden" });
    await ann.must("chat", { room: board, text: "secret" });
    await eve.settle();
    expect(saidTo(eve)).toEqual([]);
  });

  test("[CT26] marks made here are told there", async () => {
    await using t = await open({ chat: { receiptsMs: 20 } });
    const ann = await t.nodes.at(0).connect({ sub: "ann" });
    const ben = await t.nodes.at(1).connect({ sub: "ben" });
    const tab = await t.nodes.at(1).connect({ sub: "ann" });
    await ben.must("subscribe", { channel: room });
    await ben.must("chat", { room, text: "hi" });
    await ann.must("chat_read", { room, read: 1 });
    const receipts = [{ user: "ann", read: 1, delivered: 1 }];
    expect((await ben.next("chat_receipts")).data).toEqual({ room, receipts });
    expect((await tab.next("chat_read")).data).toEqual({ room, read: 1, delivered: 1, unread: 0 });
  });

  test("faults 5: while Redis stands still messages are kept and acknowledged, and published once when it goes on", async () => {
    await using t = await open({ redis: { commandTimeoutMs: 500 } });
    const ann = await t.nodes.at(0).connect({ sub: "ann" });
    const ben = await t.nodes.at(1).connect({ sub: "ben" });
    await ben.must("subscribe", { channel: room });
    await ann.must("chat", { room, text: "before" });
    await t.redis.pause();
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push(await ann.must("chat", { room, text: `during ${i}` }));
    expect(answers.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6]);
    t.redis.resume();
    await eventually("all of it at the subscriber", () => saidTo(ben).length >= 6);
    await ann.must("chat", { room, text: "after" });
    await eventually("what came after", () => saidTo(ben).some(({ text }) => text === "after"));
    expect(
      saidTo(ben)
        .map(({ seq }) => seq)
        .toSorted((a, b) => a - b),
    ).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

test("faults 1, 21: a node killed in the middle of messages: what was acknowledged is there, and repeats are one message, published once", async () => {
  await using redis = await startRedis();
  using file = sharedFile();
  const config: ConfigInput = { broker: redis.url, store: file.store };
  await using dying = await startGatewayProcess(config);
  await using other = await startGatewayProcess(config);
  const listener = await other.connect({ sub: "listener" });
  await listener.must("subscribe", { channel: room });
  const ann = await dying.connect({ sub: "ann" });
  const sayings = Array.from({ length: 100 }, (_, i) => ({
    room,
    text: `t${i}`,
    idempotencyKey: `k${i}`,
  }));
  const acknowledged = new Map<string, number>();
  const asked = sayings.map(async (saying) => {
    const answer = await ann.ask("chat", saying).catch(() => undefined);
    if (answer?.action === "chat") acknowledged.set(saying.text, answer.data.seq);
  });
  await eventually("some to be acknowledged", () => acknowledged.size >= 10);
  dying.kill("SIGKILL");
  await Promise.all(asked);
  const again = await other.connect({ sub: "ann" });
  for (const saying of sayings) {
    const { seq } = await again.must("chat", saying);
    expect(acknowledged.get(saying.text) ?? seq).toBe(seq);
  }
  const messages = await everything(again);
  expect(messages.map(({ seq }) => seq)).toEqual(sayings.map((_, i) => i + 1));
  expect(messages.map(({ text }) => text).toSorted()).toEqual(
    sayings.map(({ text }) => text).toSorted(),
  );
  await eventually("all publications", () => saidTo(listener).length >= 100);
  await listener.settle();
  const seqs = saidTo(listener).map(({ seq }) => seq);
  expect(seqs.toSorted((a, b) => a - b)).toEqual(sayings.map((_, i) => i + 1));
});
