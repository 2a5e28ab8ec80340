import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  allows,
  allowsPattern,
  type Capabilities,
  createCapabilityReader,
  parseCapabilities,
  type ReadCapabilities,
  RIGHTS,
  type Right,
  rightBit,
} from "./capabilities.ts";

function compile(claim: unknown, userId = "ann"): Capabilities {
  const parsed = parseCapabilities(claim, userId);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}
const rightsOn = (capabilities: Capabilities, name: string) =>
  RIGHTS.filter((right) => allows(capabilities, name, right));

describe("capabilities", () => {
  test("an exact name and a prefix grant what they list and nothing else", () => {
    const granted = compile({
      "chat:lobby": ["subscribe", "publish"],
      "orders:*": ["subscribe"],
      "orders:7": "history",
    });
    expect(rightsOn(granted, "chat:lobby")).toEqual(["subscribe", "publish"]);
    expect(rightsOn(granted, "chat:lobby2")).toEqual([]);
    expect(rightsOn(granted, "chat:lobb")).toEqual([]);
    expect(rightsOn(granted, "orders:")).toEqual(["subscribe"]);
    expect(rightsOn(granted, "orders:7")).toEqual(["subscribe", "history"]);
    expect(rightsOn(granted, "orders")).toEqual([]);
  });

  test("`*` is every channel, every right, or both", () => {
    expect(rightsOn(compile("*"), "any:thing")).toEqual([...RIGHTS]);
    expect(rightsOn(compile({ "*": "*" }), "any:thing")).toEqual([...RIGHTS]);
    expect(rightsOn(compile({ "*": ["send"] }), "user:bob")).toEqual(["send"]);
    expect(rightsOn(compile({ "a:b": ["*"] }), "a:b")).toEqual([...RIGHTS]);
    expect(rightsOn(compile({ "a:b": ["*"] }), "a:c")).toEqual([]);
  });

  test("an absent or empty claim grants nothing", () => {
    for (const claim of [undefined, {}, { "a:*": [] }])
      expect(rightsOn(compile(claim), "a:b")).toEqual([]);
  });

  test("rights that are not known grant nothing and do no harm", () => {
    const claim = { "a:*": ["subscribe", "fly", "constructor", "__proto__", "toString"] };
    expect(rightsOn(compile(claim), "a:b")).toEqual(["subscribe"]);
  });

  test("names that every object has are names like others", () => {
    const granted = compile(JSON.parse('{"__proto__":["subscribe"],"constructor":["publish"]}'));
    expect(rightsOn(granted, "__proto__")).toEqual(["subscribe"]);
    expect(rightsOn(granted, "constructor")).toEqual(["publish"]);
    expect(rightsOn(granted, "toString")).toEqual([]);
  });

  test.each([
    [null],
    [7],
    [""],
    ["chat:*"],
    [[]],
    [["chat:*"]],
    [{ "a:*": null }],
    [{ "a:*": 7 }],
    [{ "a:*": {} }],
    [{ "a:*": [7] }],
    [{ "a:*": [["subscribe"]] }],
    [{ "a:*": Array(65).fill("subscribe") }],
    [{ "": ["subscribe"] }],
    [{ "a:*:b": ["subscribe"] }],
    [{ "**": ["subscribe"] }],
    [{ "*a": ["subscribe"] }],
    [{ ["a".repeat(513)]: ["subscribe"] }],
    [Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`c:${i}`, ["subscribe"]]))],
  ])("wrong shape %#: refused as a whole", (claim) => {
    expect(parseCapabilities(claim, "ann").ok).toBe(false);
  });

  test("256 entries are accepted", () => {
    const entries = Array.from({ length: 256 }, (_, i) => [`c:${i}`, ["subscribe"]] as const);
    expect(rightsOn(compile(Object.fromEntries(entries)), "c:255")).toEqual(["subscribe"]);
  });

  test("a wildcard subscription needs one entry that covers all of it", () => {
    const granted = compile({
      "orders:*": ["subscribe"],
      "orders:eu-*": ["history"],
      "chat:lobby": "*",
    });
    expect(allowsPattern(granted, "orders:", "subscribe")).toBe(true);
    expect(allowsPattern(granted, "orders:eu-", "subscribe")).toBe(true);
    expect(allowsPattern(granted, "orders:", "history")).toBe(false);
    expect(allowsPattern(granted, "orders:eu-west-", "history")).toBe(true);
    expect(allowsPattern(granted, "order", "subscribe")).toBe(false);
    expect(allowsPattern(granted, "", "subscribe")).toBe(false);
    expect(allowsPattern(granted, "chat:lobby", "subscribe")).toBe(false);
    expect(allowsPattern(compile("*"), "", "subscribe")).toBe(true);
  });

  test("what a pattern allows, every name under it allows", () => {
    const segment = fc.stringMatching(/^[ab:]{0,3}$/);
    const pattern = fc
      .tuple(segment, fc.boolean())
      .map(([text, open]) => `x${text}${open ? "*" : ""}`);
    const claim = fc.dictionary(pattern, fc.subarray([...RIGHTS]), { maxKeys: 6 });
    fc.assert(
      fc.property(
        claim,
        segment,
        segment,
        fc.constantFrom(...RIGHTS),
        (shape, prefix, rest, right) => {
          const granted = compile(shape);
          if (!allowsPattern(granted, `x${prefix}`, right)) return;
          expect(allows(granted, `x${prefix}${rest}`, right)).toBe(true);
        },
      ),
    );
  });

  test("each right has its own bit", () => {
    const bits = RIGHTS.map((right: Right) => rightBit(right));
    expect(new Set(bits).size).toBe(RIGHTS.length);
    expect(bits.reduce((sum, bit) => sum | bit, 0)).toBe(2 ** RIGHTS.length - 1);
  });
});

describe("capabilities: {userId}", () => {
  const own = { "user:{userId}": "*", "user:{userId}:*": "*", "{userId}:notes": ["publish"] };

  test("stands for the token's own user", () => {
    const granted = compile(own, "ann");
    expect(rightsOn(granted, "user:ann")).toEqual([...RIGHTS]);
    expect(rightsOn(granted, "user:ann:inbox")).toEqual([...RIGHTS]);
    expect(rightsOn(granted, "ann:notes")).toEqual(["publish"]);
    for (const name of ["user:anna", "user:an", "user:bob", "user:bob:inbox", "user:{userId}"]) {
      expect(rightsOn(granted, name)).toEqual([]);
    }
  });

  test("wildcard injection: a user called `*` or `a*` gets a literal name", () => {
    for (const id of ["*", "a*", "{userId}", "{userId}*"]) {
      const granted = compile(own, id);
      for (const name of ["user:ann", "user:a", "user:", "user:a:inbox", "ann:notes"]) {
        expect(rightsOn(granted, name)).toEqual([]);
      }
      expect(allowsPattern(granted, "user:", "subscribe")).toBe(false);
      expect(rightsOn(granted, `user:${id}`)).toEqual([...RIGHTS]);
    }
  });

  test("an id with a colon gets nothing, so that nobody's names lie within another's", () => {
    const granted = compile({ ...own, "chat:*": ["subscribe"] }, "ann:inbox");
    for (const name of ["user:ann:inbox", "user:ann:inbox:x", "ann:inbox:notes", "user:ann"]) {
      expect(rightsOn(granted, name)).toEqual([]);
    }
    expect(rightsOn(granted, "chat:lobby")).toEqual(["subscribe"]);
  });

  test.each([
    "user:{userId}*",
    "user-{userId}",
    "user:{userId}-x",
    "{userId}{userId}:x",
    "{userId}*",
  ])("%s, in which one id can begin another, is refused", (pattern) => {
    expect(parseCapabilities({ [pattern]: "*" }, "ann").ok).toBe(false);
  });

  test("no two users ever share a name", () => {
    const id = fc.stringMatching(/^[ab:*{}]{1,4}$/);
    fc.assert(
      fc.property(id, id, fc.stringMatching(/^[ab:*]{0,4}$/), (one, two, rest) => {
        if (one === two) return;
        for (const name of [`user:${one}`, `user:${one}:${rest}`]) {
          const both = [one, two].every((user) => allows(compile(own, user), name, "subscribe"));
          expect(both).toBe(false);
        }
      }),
    );
  });
});

describe("createCapabilityReader", () => {
  const compiled = (read: ReadCapabilities, claim: unknown, user = "ann") => {
    const result = read(claim, user);
    return result.ok ? result.value : expect.unreachable();
  };

  test("reads what parseCapabilities reads, however often", () => {
    const read = createCapabilityReader(2);
    for (const claim of [undefined, "*", {}, { "a:*": "*" }, { a: ["publish"] }, null, { a: 7 }]) {
      for (let i = 0; i < 3; i++)
        expect(read(claim, "ann")).toEqual(parseCapabilities(claim, "ann"));
    }
  });

  test("users with the same claim share what was compiled", () => {
    const read = createCapabilityReader(2);
    const ann = compiled(read, { "chat:*": ["subscribe"] }, "ann");
    expect(compiled(read, { "chat:*": ["subscribe"] }, "ben")).toBe(ann);
    expect(compiled(read, { "chat:*": ["publish"] }, "ben")).not.toBe(ann);
  });

  test("P2: what `{userId}` stands in is each user's own", () => {
    const read = createCapabilityReader(2);
    for (const user of ["ann", "ben"]) {
      const own = compiled(read, { "user:{userId}": "*", "inbox:{userId}:*": "*" }, user);
      expect(allows(own, `user:${user}`, "subscribe")).toBe(true);
      expect(allows(own, "user:eve", "subscribe")).toBe(false);
    }
    const ben = compiled(read, { "user:{userId}": "*" }, "ben");
    expect(allows(ben, "user:ann", "subscribe")).toBe(false);
  });

  test("P3: it remembers no more than it may", () => {
    const read = createCapabilityReader(2);
    const first = compiled(read, { a: "*" });
    compiled(read, { b: "*" });
    expect(compiled(read, { a: "*" })).toBe(first);
    compiled(read, { c: "*" });
    expect(compiled(read, { a: "*" })).not.toBe(first);
    const long = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`channel-${i}`, "*"]));
    expect(compiled(read, long)).not.toBe(compiled(read, long));
  });
});
