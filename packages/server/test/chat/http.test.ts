import { describe, expect, test } from "bun:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { startChat } from "./start-chat.ts";

const KEYS = { all: "key-with-every-scope-0001", reads: "key-that-only-reads-0002" };
const api = {
  keys: [
    { key: KEYS.all, scopes: ["*" as const] },
    { key: KEYS.reads, scopes: ["read" as const] },
  ],
};
const room = "chat:lobby";
const path = "/api/chat/rooms/chat%3Alobby";

describe("[CT29] chat over HTTP", () => {
  test("a backend does for its users what they do by action", async () => {
    await using gateway = await startChat({ api });
    const call = (method: string, to: string, body?: unknown) =>
      gateway.call(method, to, body, KEYS.all);
    const post = async (to: string, body: object) => (await call("POST", to, body)).body;
    const get = async (to: string) => (await call("GET", to)).body;
    const first = await post("/api/chat/send", {
      room: "lobby",
      user: "ann",
      name: "Ann",
      text: "one",
    });
    expect(first).toMatchObject({ room, seq: 1 });
    await post("/api/chat/send", { room, text: "from nobody" });
    await post("/api/chat/send", { room, user: "ben", data: { a: 1 }, replyTo: 1 });
    await post("/api/chat/messages/react", { room, user: "ben", seq: 1, emoji: "👍" });
    await post("/api/chat/messages/edit", { room, seq: 2, text: "from a backend" });
    const page = await get("/api/chat/history?room=lobby&limit=2&after=0&user=ben");
    expect(page).toMatchObject({
      ...{ room, top: 3, older: false, newer: true },
      messages: [
        { from: { id: "ann", name: "Ann" }, text: "one", reactions: [{ count: 1, own: true }] },
        { seq: 2, text: "from a backend", version: 2 },
      ],
    });
    expect(page.messages[1].from).toBeUndefined();
    expect((await get("/api/chat/history?room=lobby&thread=1")).messages).toHaveLength(1);
    expect((await get("/api/chat/search?room=lobby&q=BACKEND")).messages).toHaveLength(1);
    await post("/api/chat/messages/mark-read", { room, user: "ann", read: 1 });
    expect(await get("/api/chat/unread?user=ann")).toEqual({ rooms: [{ room, unread: 2 }] });
    expect((await get("/api/chat/rooms?user=ann")).rooms).toMatchObject([
      { room, read: 1, last: { seq: 3 } },
    ]);
    expect((await get("/api/chat/rooms")).rooms).toMatchObject([{ room, access: "public" }]);
    expect((await get("/api/chat/receipts?room=lobby")).receipts).toEqual([
      { user: "ann", read: 1, delivered: 1 },
    ]);
    await post("/api/chat/messages/delete", { room, seq: 1 });
    expect(
      (await get("/api/chat/history?room=lobby&limit=1&before=2")).messages[0].text,
    ).toBeUndefined();
  });

  test("rooms and members", async () => {
    await using gateway = await startChat({ api });
    const call = (method: string, to: string, body?: unknown) =>
      gateway.call(method, to, body, KEYS.all);
    const wanted = { room, access: "private", user: "ann", members: [{ user: "ben" }] };
    expect((await call("POST", "/api/chat/rooms", wanted)).body).toMatchObject({ role: "owner" });
    expect((await call("GET", `${path}?user=ben`)).body).toMatchObject({ room, role: "member" });
    expect((await call("PUT", path, { title: "T" })).body).toMatchObject({
      title: "T",
      version: 2,
    });
    expect((await call("PUT", path, { title: "U", version: 1 })).status).toBe(409);
    expect((await call("PUT", `${path}/members/eve`, { role: "admin" })).body).toEqual({
      room,
      user: "eve",
      role: "admin",
    });
    expect((await call("DELETE", `${path}/members/ben`)).body).toEqual({ room, user: "ben" });
    expect((await call("GET", `${path}/members`)).body.members).toMatchObject([
      { user: "ann", role: "owner" },
      { user: "eve", role: "admin" },
    ]);
    expect((await call("POST", `${path}/leave`, { user: "ann" })).body.error.code).toBe("conflict");
    expect((await call("POST", `${path}/join`, { user: "uma" })).body.error.code).toBe("forbidden");
    expect((await call("DELETE", path)).body).toEqual({ room });
    expect((await call("GET", path)).body.error.code).toBe("forbidden");
  });

  test("a user's token: for themselves, by their rights", async () => {
    await using gateway = await startChat({ api });
    const authorization = `Bearer ${await gateway.token({ sub: "ann" })}`;
    const send = (body: object, credentials = authorization) =>
      gateway.http("/api/chat/send", {
        method: "POST",
        headers: { authorization: credentials, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    expect((await send({ room, text: "hi" })).body).toMatchObject({ seq: 1 });
    expect((await send({ room, user: "ann", text: "hi" })).body).toMatchObject({ seq: 2 });
    expect((await send({ room, user: "ben", text: "hi" })).body.error.code).toBe("forbidden");
    const mute = `Bearer ${await gateway.token({ sub: "ann", capabilities: { "*": ["history"] } })}`;
    expect((await send({ room, text: "hi" }, mute)).status).toBe(403);
    const headers = { authorization: mute };
    const page = await gateway.http("/api/chat/history?room=lobby", { headers });
    expect(page.body.messages.map(({ from }: { from: object }) => from)).toEqual([
      { id: "ann" },
      { id: "ann" },
    ]);
    const mine = await gateway.http("/api/chat/rooms", { headers: { authorization } });
    expect(mine.body).toEqual({ rooms: [] });
  });

  test("[HT6] a key without the scope `chat` does none of it", async () => {
    await using gateway = await startChat({ api });
    const answer = await gateway.call("GET", "/api/chat/rooms", undefined, KEYS.reads);
    expect([answer.status, answer.body.error.code]).toEqual([403, "forbidden"]);
  });

  test("[HT5] the example of every route is taken by that route, in the order of the document", async () => {
    await using gateway = await startChat({ api });
    const document = await (await fetch(`${gateway.url}/openapi.json`)).json();
    const verdict = await new Validator().validate(structuredClone(document));
    expect([verdict.valid, verdict.errors]).toEqual([true, undefined]);
    expect(document.tags.map(({ name }: { name: string }) => name)).toContain("Chat");
    expect(document.paths["/api/chat/send"].post.security).toHaveLength(2);
    let tried = 0;
    for (const [route, operations] of Object.entries(document.paths)) {
      if (!route.startsWith("/api/chat/")) continue;
      // biome-ignore lint/suspicious/noExplicitAny: the document is judged elsewhere
      for (const [method, operation] of Object.entries(operations as Record<string, any>)) {
        const example = operation["x-example"];
        const filled = route.replace(/\{(\w+)\}/g, (_, name) =>
          encodeURIComponent(example.path[name]),
        );
        const query = example.query === undefined ? "" : `?${new URLSearchParams(example.query)}`;
        const answer = await gateway.call(
          method.toUpperCase(),
          filled + query,
          example.body,
          KEYS.all,
        );
        expect([route, method, answer.body?.error?.code]).not.toContain("bad_request");
        tried++;
      }
    }
    expect(tried).toBeGreaterThan(15);
  });
});
