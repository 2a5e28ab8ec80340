/** What commands cost the store: so many calls, whatever a page holds. */
import { describe, expect, test } from "bun:test";
import type { ChatDeps } from "./deps.ts";
import { mark } from "./marks.ts";
import { ownRooms } from "./own-rooms.ts";
import { history, search } from "./pages.ts";
import { createRoom } from "./rooms.ts";
import { send } from "./send.ts";
import { openLoneChat } from "./test/lone-chat.ts";

const room = "chat:hall";

/** The same, with every call of the store written down. */
function counted(deps: ChatDeps): { deps: ChatDeps; calls: string[] } {
  const calls: string[] = [];
  function watch<T extends object>(records: T, name: string): T {
    return new Proxy(records, {
      get(target, method) {
        const value: unknown = Reflect.get(target, method, target);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          calls.push(`${name}.${String(method)}`);
          return Reflect.apply(value, target, args);
        };
      },
    });
  }
  const { rooms, members, messages } = deps;
  const watched = {
    rooms: watch(rooms, "rooms"),
    members: watch(members, "members"),
    messages: watch(messages, "messages"),
  };
  return { deps: { ...deps, ...watched }, calls };
}

describe("calls of the store", () => {
  test("[CT14] a message is one, in a room that is known", async () => {
    await using chat = await openLoneChat();
    const ann = chat.user("ann");
    await createRoom(chat.deps, ann, { room, access: "private", members: [] });
    await send(chat.deps, ann, { room, text: "one" });
    const { deps, calls } = counted(chat.deps);
    for (let i = 0; i < 5; i++) await send(deps, ann, { room, text: "x", idempotencyKey: `k${i}` });
    expect(calls).toEqual(Array(5).fill("messages.append"));
  });

  test("[CT15] [CT18] [CT19] a page, a search and a mark are a few, however many messages there are", async () => {
    await using chat = await openLoneChat();
    const ann = chat.user("ann");
    await Promise.all(
      Array.from({ length: 300 }, (_, i) => send(chat.deps, ann, { room, text: `m${i}` })),
    );
    await mark(chat.deps, ann, { room, read: 1 });
    for (const asked of [{}, { before: 200 }, { after: 50 }, { around: 150 }, { thread: 1 }]) {
      const { deps, calls } = counted(chat.deps);
      await history(deps, ann, { room, limit: 200, ...asked });
      expect([asked, calls.length <= 3]).toEqual([asked, true]);
    }
    const { deps, calls } = counted(chat.deps);
    await search(deps, ann, { room, q: "m1", limit: 100 });
    expect(calls.length).toBe(3);
    await mark(deps, ann, { room, read: 5 });
    expect(calls.length).toBe(3 + 4);
  });

  test("[CT21] a list of rooms is two, and two for each that is shown", async () => {
    await using chat = await openLoneChat();
    const ann = chat.user("ann");
    for (let i = 0; i < 20; i++) {
      await createRoom(chat.deps, ann, { room: `chat:r${i}`, access: "public", members: [] });
      await send(chat.deps, chat.user("ben"), { room: `chat:r${i}`, text: "x" });
    }
    const { deps, calls } = counted(chat.deps);
    await ownRooms(deps, ann, { limit: 5 });
    expect(calls.filter((call) => call.startsWith("messages")).length).toBeLessThanOrEqual(10);
    expect(calls.filter((call) => !call.startsWith("messages"))).toEqual([
      "members.list",
      "rooms.getMany",
    ]);
  });
});
