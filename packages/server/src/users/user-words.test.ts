import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { keyOfUser, userOfKey } from "./user-key.ts";
import {
  entryOf,
  matches,
  placeOf,
  rangeOf,
  SCOPES,
  termsOf,
  wordsIn,
  wordsOf,
} from "./user-words.ts";

const found = (name: string, query: string) => {
  const terms = termsOf(query);
  return terms.length > 0 && terms.every((term) => matches(wordsIn(name), term));
};

describe("words of users", () => {
  test("[US5] case, accents and forms do not count", () => {
    const pairs = [
      ["Ärger Müller", "arger mul"],
      ["İbrahim", "ibra"],
      ["Strauß", "STRAUSS"],
      ["田中太郎", "太郎"],
      ["田中 太郎", "田"],
      ["שלום כהן", "כה"],
      ["محمد علي", "علي"],
      ["Ann 👩‍👩‍👧", "👩‍👩‍👧"],
      ["O'Brien-Smith", "smi"],
      ["O'Brien", "o'b"],
      ["ann.lee@example.com", "ann.lee@ex"],
      ["ann.lee@example.com", "lee"],
      ["Ｆｕｌｌ", "full"],
    ];
    for (const [name = "", query = ""] of pairs)
      expect([name, query, found(name, query)]).toEqual([name, query, true]);
    expect([found("Ann Lee", "nn"), found("Ann Lee", " "), found("Ann", "ann lee")]).toEqual([
      false,
      false,
      false,
    ]);
  });

  test("what hostile names cost is bounded", () => {
    const many = Array.from({ length: 10_000 }, (_, n) => `w${n}`).join(" ");
    expect(wordsIn(many).length).toBe(24);
    expect(wordsIn("漢".repeat(255)).length).toBeLessThanOrEqual(24);
    for (const word of wordsIn(`${"a".repeat(47)}👍👍${"b".repeat(500)}`)) {
      expect([word.length <= 48, word.isWellFormed()]).toEqual([true, true]);
    }
    expect(termsOf(many).length).toBe(8);
  });

  test("the entries that a term asks for are in its range, and no others", () => {
    const texts = fc.string({ unit: "binary", maxLength: 12 });
    fc.assert(
      fc.property(texts, texts, texts, (id, name, query) => {
        const key = keyOfUser(id);
        for (const term of termsOf(query)) {
          for (const scope of SCOPES) {
            const { above, below } = rangeOf(scope, term);
            for (const word of wordsOf(id, { name })[scope]) {
              const entry = entryOf(scope, word, key);
              expect(entry.length <= 1_024 && entry.isWellFormed() && !entry.includes("\0")).toBe(
                true,
              );
              const isIn =
                Buffer.compare(Buffer.from(entry), Buffer.from(above)) > 0 &&
                Buffer.compare(Buffer.from(entry), Buffer.from(below)) < 0;
              expect(isIn).toBe(word.startsWith(term));
            }
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("a user with several words for a term is found at one of them", () => {
    const words = wordsOf("anna", { name: "Ann Anders", email: "ann@example.com" });
    const at = (scopes: readonly ("i" | "n" | "e")[]) =>
      placeOf(words, "anna", { term: "an", scopes });
    expect([at(["i", "n", "e"]), at(["n"]), at(["e"])]).toEqual([
      "ianna anna",
      "nanders anna",
      "eann anna",
    ]);
    expect(placeOf(words, "anna", { term: "x", scopes: ["i", "n", "e"] })).toBeUndefined();
  });

  test("every id has a key of its own, and comes back from it", () => {
    const ids = fc.string({
      unit: fc.constantFrom("a", "\0", "\ud800", "\udc00", "\u0001", "é", "/"),
      maxLength: 6,
    });
    fc.assert(
      fc.property(ids, ids, (one, other) => {
        expect(userOfKey(keyOfUser(one))).toBe(one);
        expect(keyOfUser(one) === keyOfUser(other)).toBe(one === other);
      }),
    );
  });
});
