import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isChannelPattern, namespaceOf, parseChannelName, parseChannelPattern } from "./channel.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.:@=+~,|/#";

const anyName = fc.string({
  unit: fc.constantFrom(...ALPHABET),
  minLength: 1,
  maxLength: 255,
});

function codeOf(parsed: { ok: boolean; error?: string }): string {
  return parsed.ok ? "accepted" : (parsed.error ?? "");
}

describe("parseChannelName", () => {
  test("[CN1] takes every name of 1 to 255 characters of the alphabet, unchanged", () => {
    fc.assert(
      fc.property(anyName, (name) => {
        expect(parseChannelName(name)).toEqual({ ok: true, value: name as never });
      }),
    );
  });

  test("[CN1] refuses every name with a character outside the alphabet", () => {
    const outside = fc.string({ unit: "binary", minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(anyName, outside, fc.nat(), (name, odd, at) => {
        fc.pre([...odd].every((character) => !ALPHABET.includes(character)));
        const cut = at % (name.length + 1);
        const spoiled = (name.slice(0, cut) + odd + name.slice(cut)).slice(0, 255);
        fc.pre([...spoiled].some((character) => !ALPHABET.includes(character)));
        expect(codeOf(parseChannelName(spoiled))).toBe("bad_channel");
      }),
    );
  });

  test("[CN1] judges each ASCII code alone", () => {
    for (let code = 0; code < 128; code++) {
      const character = String.fromCharCode(code);
      const expected = ALPHABET.includes(character) ? "accepted" : "bad_channel";
      expect(`${code} ${codeOf(parseChannelName(character))}`).toBe(`${code} ${expected}`);
    }
  });

  test("[CN1] has a longest name", () => {
    expect(parseChannelName("x".repeat(255)).ok).toBe(true);
    expect(codeOf(parseChannelName("x".repeat(256)))).toBe("bad_channel");
    expect(codeOf(parseChannelName("x".repeat(1_048_576)))).toBe("bad_channel");
    expect(codeOf(parseChannelName(""))).toBe("bad_channel");
  });

  test("[CN1] case counts: two spellings are two names", () => {
    expect(parseChannelName("chat:Lobby")).not.toEqual(parseChannelName("chat:lobby"));
  });

  test("what is no string is a wrong field, not a bad name", () => {
    for (const value of [undefined, null, 7, true, ["a"], { a: 1 }]) {
      expect(codeOf(parseChannelName(value))).toBe("bad_request");
      expect(codeOf(parseChannelPattern(value))).toBe("bad_request");
    }
  });

  // What tries to leave the tenant: refused by the grammar, or a plain name like any other. Names are
  // never decoded, normalised or split at `/`, so those that pass stay where they are.
  test.each([
    ["other\u0000x", "a NUL"],
    ["other\nx", "a line break, which would forge a log line"],
    ["other\u001b[31mx", "an escape sequence"],
    ["chat:l\u043ebby", "a Cyrillic look-alike"],
    ["chat\uff1alobby", "a full-width colon"],
    ["chat:caf\u00e9", "a letter beyond ASCII"],
    ["chat:\u202elobby", "a direction override"],
    ["chat:\u200blobby", "a zero-width space"],
    ["chat:\ud800", "a lone surrogate"],
    ["chat:%2e%2e%2f", "percent signs"],
    ["a\\b", "a backslash"],
    [" chat:lobby", "a blank"],
    ['chat:"', "a quote"],
    ["chat:*", "a star"],
    ["chat:{1}", "braces, which would pick a Redis slot"],
    ["chat:<b>", "markup"],
  ])("[CN3] refuses %j: %s", (name) => {
    expect(codeOf(parseChannelName(name))).toBe("bad_channel");
  });

  test.each([
    "../other/x",
    "tenant/x",
    "/",
    "..",
    "chat:lobby...",
    "@user:42",
    "a:b:c",
    ":",
    "__proto__",
  ])("[CN3] %p is a plain name, and stays as it is", (name) => {
    expect(parseChannelName(name)).toEqual({ ok: true, value: name as never });
  });

  test("a refusal does not repeat the name", () => {
    const parsed = parseChannelName("secret\u0000name");
    expect(parsed.ok ? "" : parsed.message).not.toContain("secret");
  });
});

describe("parseChannelPattern", () => {
  test.each(["orders:*", "orders:eu-*", "a:b:*", "a:b/*", "@user:*"])(
    "[CN2] takes %p",
    (pattern) => {
      expect(parseChannelPattern(pattern)).toEqual({ ok: true, value: pattern as never });
      expect(isChannelPattern(pattern)).toBe(true);
    },
  );

  test.each([
    ["*", "no namespace"],
    ["orders*", "no colon"],
    [":*", "an empty namespace"],
    ["orders:**", "two stars"],
    ["*:orders*", "a star before the end"],
    ["or*ders:*", "a star in the namespace"],
    ["orders:eu-", "no star"],
    ["orders:\u00e9*", "a character outside the alphabet"],
    ["", "nothing"],
  ])("[CN2] refuses %p: %s", (pattern) => {
    expect(codeOf(parseChannelPattern(pattern))).toBe("bad_channel");
  });

  test("[CN2] no text is both a name and a pattern", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."ab:*-"), maxLength: 8 }), (text) => {
        expect(parseChannelName(text).ok && parseChannelPattern(text).ok).toBe(false);
      }),
    );
  });
});

describe("namespaceOf", () => {
  test.each([
    ["chat:lobby", "chat"],
    ["chat:lobby:2", "chat"],
    ["lobby", ""],
    [":lobby", ""],
    ["chat:", "chat"],
    ["orders:eu-*", "orders"],
  ])("[CN1] of %p is %p", (name, namespace) => {
    expect(namespaceOf(name as never)).toBe(namespace);
  });
});
