import { describe, expect, test } from "bun:test";
import type { Reactions } from "./collections.ts";
import { countOf, withReaction } from "./reactions.ts";

const LIMITS = { perUser: 2, kinds: 3, total: 4 };
const add = (to: Reactions, user: string, emoji: string) =>
  withReaction(to, { user, emoji, on: true }, LIMITS);
const many: Reactions = [
  ["👍", ["ann", "ben"]],
  ["🎉", ["ann"]],
];

describe("[CT17] reactions", () => {
  test("come in the order in which they first came, and go with the last who took it back", () => {
    expect(add(add([], "ann", "👍") as Reactions, "ben", "🎉")).toEqual([
      ["👍", ["ann"]],
      ["🎉", ["ben"]],
    ]);
    expect(withReaction(many, { user: "ann", emoji: "🎉", on: false }, LIMITS)).toEqual([
      ["👍", ["ann", "ben"]],
    ]);
    expect(countOf(many, "👍")).toBe(2);
  });

  test("repeating one, or taking back what is not there, changes nothing", () => {
    expect(add(many, "ann", "👍")).toBe("unchanged");
    expect(withReaction(many, { user: "eve", emoji: "👍", on: false }, LIMITS)).toBe("unchanged");
  });

  test("P3: so many by a user, of kinds, and in all", () => {
    expect(add(many, "ann", "🚀")).toBe("over");
    const three = add(many, "eve", "🚀") as Reactions;
    expect(three).toHaveLength(3);
    expect(add(three, "eve", "👍")).toBe("over");
    expect(
      withReaction(
        [
          ["a", ["x"]],
          ["b", ["y"]],
          ["c", ["z"]],
        ],
        { user: "w", emoji: "d", on: true },
        LIMITS,
      ),
    ).toBe("over");
  });
});
