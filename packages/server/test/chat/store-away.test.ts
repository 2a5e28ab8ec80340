import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually, startTestGateway } from "@aldis/testkit";
import { allTold } from "./start-chat.ts";

const room = "chat:lobby";

test("faults 10: while the database takes no writes they are refused for now, the rest goes on, and nothing acknowledged is lost", async () => {
  const folder = mkdtempSync(join(tmpdir(), "aldis-chat-away-"));
  const file = join(folder, "chat.db");
  {
    const store = { url: `sqlite:${file}`, timeoutMs: 400 };
    await using gateway = await startTestGateway({ config: { store } });
    const ann = await gateway.connect({ sub: "ann" });
    const ben = await gateway.connect({ sub: "ben" });
    await ben.must("subscribe", { channel: room });
    await ann.must("chat", { room, text: "before", idempotencyKey: "k0" });
    const other = new Database(file);
    // The gateway writes now and then by itself.
    other.run("PRAGMA busy_timeout = 10000");
    other.run("BEGIN IMMEDIATE");
    for (const [action, data] of [
      ["chat", { room, text: "during", idempotencyKey: "k1" }],
      ["chat_read", { room, read: 1 }],
      ["chat_create_room", { room: "chat:new" }],
      ["chat_react", { room, seq: 1, emoji: "👍" }],
    ] as const) {
      const error = await ann.refused(action, data);
      expect([action, error.code, error.temporary]).toEqual([action, "unavailable", true]);
    }
    const { body } = await gateway.call("POST", "/api/chat/send", { room, text: "x" });
    expect(body.error.code).toBe("unavailable");
    // What needs no database is as ever, and so are connections.
    await ben.must("publish", { channel: room, event: "wave", data: 1 });
    expect((await ann.must("chat_history", { room })).top).toBe(1);
    other.run("COMMIT");
    other.close();
    const sent = await eventually("the same again", async () => {
      const answer = await ann.ask("chat", { room, text: "during", idempotencyKey: "k1" });
      return answer.action === "chat" ? answer.data : undefined;
    });
    expect(sent).toMatchObject({ room, seq: 2 });
    await ann.must("chat_read", { room, read: 2 });
    const { messages } = await ann.must("chat_history", { room });
    expect(messages.map(({ text }: { text: string }) => text)).toEqual(["before", "during"]);
    await ben.settle();
    const told = allTold(ben).filter(({ event }) => event === "chat.message");
    expect(told).toMatchObject([
      { data: { message: { seq: 1 } } },
      { data: { message: { seq: 2 } } },
    ]);
  }
  rmSync(folder, { recursive: true, force: true });
});
