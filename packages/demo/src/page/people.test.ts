import { expect, test } from "bun:test";
import type { PresenceUser } from "@aldis/client";
import { hueClass, initials, keepTabName, tabName } from "./names.ts";
import { applyPresence, type Crowd, inOrder } from "./people.ts";
import { typingText } from "./typists.ts";

const user = (id: string, connections = 1): PresenceUser => ({ id, connections });

test("presence pushes change who is here", () => {
  const channel = "chat:lobby";
  let crowd: Crowd = { users: [user("bob")], count: 1 };
  const next = (event: "join" | "leave" | "update", changed: PresenceUser, count: number) => {
    crowd = applyPresence(crowd, { channel, event, user: changed, count });
    return inOrder(crowd, "me").map(({ id, connections }) => `${id} ${connections}`);
  };
  expect(next("join", user("me"), 2)).toEqual(["me 1", "bob 1"]);
  expect(next("join", user("ann"), 3)).toEqual(["me 1", "ann 1", "bob 1"]);
  expect(next("update", user("bob", 2), 3)).toEqual(["me 1", "ann 1", "bob 2"]);
  expect(next("leave", user("ann", 0), 2)).toEqual(["me 1", "bob 2"]);
  expect(crowd.count).toBe(2);
  const many = applyPresence(crowd, { channel, event: "many", count: 700 });
  expect(many).toEqual({ users: crowd.users, count: 700 });
});

test("who is typing is told in words", () => {
  expect(typingText([])).toBe("");
  expect(typingText(["Ann"])).toBe("Ann is typing…");
  expect(typingText(["Bob", "Ann"])).toBe("Ann and Bob are typing…");
  expect(typingText(["Cy", "Bob", "Ann", "Di"])).toBe("Ann, Bob and 2 more are typing…");
});

test("initials are letters, whatever the name", () => {
  expect(initials("Calm Otter")).toBe("CO");
  expect(initials("ann")).toBe("A");
  expect(initials("<img src=x onerror=alert(1)>")).toBe("IO");
  expect(initials("北 京")).toBe("北京");
  expect(initials("🎉")).toBe("?");
});

test("a name has one colour", () => {
  expect(hueClass("Ann")).toBe(hueClass("Ann"));
  expect(hueClass("Ann")).toMatch(/^hue-[0-7]$/);
});

test("a tab keeps its name", () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  const name = tabName(storage);
  expect(name).toMatch(/^\w+ \w+$/);
  expect(tabName(storage)).toBe(name);
  keepTabName(storage, "Ann");
  expect(tabName(storage)).toBe("Ann");
});
