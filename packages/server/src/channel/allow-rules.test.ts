import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { draft } from "../broker/broker.contract.ts";
import { compileAllowRules, matchesTemplate } from "./allow-rules.ts";

function matches(rule: string, channel: string, userId: string): boolean {
  const [template] = compileAllowRules([rule]).templates;
  if (template === undefined) throw new Error("no template");
  return matchesTemplate(template, draft({ channel }).channel, userId);
}

describe("allow rules", () => {
  test("words and templates are told apart", () => {
    const rules = compileAllowRules(["user", "inbox:{userId}:*", "subscriber"]);
    expect(rules).toEqual({
      anonymous: false,
      user: true,
      subscriber: true,
      templates: [{ before: "inbox:", after: ":", open: true }],
    });
    expect(compileAllowRules([])).toEqual({
      anonymous: false,
      user: false,
      subscriber: false,
      templates: [],
    });
    expect(compileAllowRules(["anonymous"]).anonymous).toBe(true);
  });

  test.each<[string, string, string, boolean]>([
    ["user:{userId}", "user:ann", "ann", true],
    ["user:{userId}", "user:anna", "ann", false],
    ["user:{userId}", "user:an", "ann", false],
    ["user:{userId}", "user:ann:x", "ann", false],
    ["user:{userId}", "User:ann", "ann", false],
    ["user:{userId}", "user:Ann", "ann", false],
    ["user:{userId}", "xuser:ann", "ann", false],
    ["user:{userId}:in", "user:ann:in", "ann", true],
    ["user:{userId}:in", "user:ann:out", "ann", false],
    ["user:{userId}:in", "user:ann", "ann", false],
    ["{userId}:*", "ann:x", "ann", true],
    ["inbox:{userId}:*", "inbox:ann:x", "ann", true],
    ["inbox:{userId}:*", "inbox:ann:x:y", "ann", true],
    ["inbox:{userId}:*", "inbox:ann:", "ann", true],
    ["inbox:{userId}:*", "inbox:ann", "ann", false],
    ["inbox:{userId}:*", "inbox:anna:x", "ann", false],
    ["inbox:{userId}:*", "inbox:bob:ann:x", "ann", false],
  ])("%p and the channel %p for %p: %p", (rule, channel, userId, expected) => {
    expect(matches(rule, channel, userId)).toBe(expected);
  });

  test.each(["*", "a*", "a:b", ":", "{userId}", "ann:", ":ann", "__proto__:x"])(
    "faults 26: the user id %p gives nothing that is another's",
    (userId) => {
      for (const channel of [
        "user:a",
        "user:ann",
        "user:a:b",
        "user:",
        "inbox:a:b",
        "inbox:ann:x",
      ]) {
        expect(matches("user:{userId}", channel, userId)).toBe(false);
        expect(matches("inbox:{userId}:*", channel, userId)).toBe(false);
      }
    },
  );

  test("an empty user id owns nothing", () => {
    expect(matches("user:{userId}", "user:", "")).toBe(false);
    expect(matches("inbox:{userId}:*", "inbox::x", "")).toBe(false);
  });

  test("no channel belongs to two users", () => {
    const id = fc.string({ unit: fc.constantFrom("a", "b", ":", "*", ".", "-"), maxLength: 4 });
    const rest = fc.string({ unit: fc.constantFrom("a", "b", ":", "."), maxLength: 6 });
    fc.assert(
      fc.property(id, id, rest, (ann, bob, text) => {
        if (ann === bob) return;
        for (const rule of ["u:{userId}", "u:{userId}:*", "u:{userId}:in"]) {
          const both = matches(rule, `u:${text}`, ann) && matches(rule, `u:${text}`, bob);
          expect(both).toBe(false);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
