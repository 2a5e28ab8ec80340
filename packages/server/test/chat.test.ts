import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@aldis/server";
import { type RawClient, startTestGateway } from "@aldis/testkit";

const room = "chat:lobby";

/** A gateway with a database of its own. */
async function startChat(config: ConfigInput = {}) {
  const folder = mkdtempSync(join(tmpdir(), "aldis-chat-"));
  const gateway = await startTestGateway({
    config: { store: { url: `sqlite:${join(folder, "chat.db")}` }, ...config },
  });
  return {
    ...gateway,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The next publication of an event, as subscribers get it. */
async function told(client: RawClient, event: string) {
  const frame = await client.wait((one) => one.action === "message" && one.data.event === event);
  return frame.data.data;
}

describe("protocol section 23: chat", () => {
  test("[CT14] [CT23] what is said is kept, published and answered", async () => {
    await using gateway = await startChat();
    const ann = await gateway.connect({ sub: "ann", name: "Ann" });
    const ben = await gateway.connect({ sub: "ben" });
    for (const client of [ann, ben]) await client.must("subscribe", { channel: room });
    const sent = await ann.must("chat", { room: "lobby", text: "hello", idempotencyKey: "k1" });
    expect(sent).toEqual({ room, seq: 1, id: `${room}/1`, at: expect.any(Number) });
    const message = {
      ...{ room, seq: 1, id: `${room}/1`, from: { id: "ann", name: "Ann" } },
      ...{ text: "hello", at: sent.at, version: 1 },
    };
    for (const client of [ann, ben]) {
      expect(await told(client, "chat.message")).toEqual({ message, idempotencyKey: "k1" });
    }
    expect(await ben.must("chat_history", { room: "lobby" })).toEqual({
      ...{ room, messages: [message], top: 1, older: false, newer: false },
    });
  });

  test("[CT14] a repeat is answered as the first was, and published once", async () => {
    await using gateway = await startChat();
    const ann = await gateway.connect({ sub: "ann" });
    const ben = await gateway.connect({ sub: "ben" });
    await ben.must("subscribe", { channel: room });
    const first = await ann.must("chat", { room, text: "one", idempotencyKey: "k" });
    const again = await ann.must("chat", { room, text: "two", idempotencyKey: "k" });
    expect(again).toEqual({ ...first, duplicate: true });
    expect(await ben.must("chat", { room, text: "mine", idempotencyKey: "k" })).toMatchObject({
      seq: 2,
    });
    await ben.settle();
    const messages = ben.all.filter(({ action }) => action === "message");
    expect(messages.map(({ data }) => data.data.message.text)).toEqual(["one", "mine"]);
  });

  test("[CT14] messages of one session to one room are numbered in the order sent", async () => {
    await using gateway = await startChat();
    const ann = await gateway.connect({ sub: "ann" });
    const texts = Array.from({ length: 50 }, (_, i) => `t${i}`);
    const answers = await Promise.all(texts.map((text) => ann.must("chat", { room, text })));
    expect(answers.map(({ seq }) => seq)).toEqual(texts.map((_, i) => i + 1));
    const { messages } = await ann.must("chat_history", { room, limit: 200 });
    expect(messages.map(({ text }: { text: string }) => text)).toEqual(texts);
  });
});
