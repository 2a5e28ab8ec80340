import { expect, test } from "bun:test";
import fc from "fast-check";
import { foldText } from "./fold-text.ts";

test("what people take for the same word is the same", () => {
  const same = [
    ["Ärger", "arger", "ÄRGER", "A\u0308rger"],
    ["İstanbul", "istanbul", "ISTANBUL", "ıstanbul"],
    ["Straße", "STRASSE", "STRAẞE", "strasse"],
    ["ΟΔΟΣ", "οδος", "Οδοσ"],
    ["ﬁne", "FINE"],
    ["Ａｎｎ", "ann"],
    [" a \t\n\u00a0 b ", "a b"],
  ];
  for (const [first = "", ...others] of same) {
    for (const other of others) expect(foldText(other)).toBe(foldText(first));
  }
});

test("other scripts stay as they are", () => {
  for (const text of ["田中太郎", "नमस्ते", "שלום", "👩‍👩‍👧"]) {
    expect(foldText(text)).toBe(text.normalize("NFKD"));
  }
  expect(foldText("a\0b\ud800c")).toBe("a bc");
});

test("folding twice changes nothing", () => {
  const texts = fc.string({ unit: "binary", maxLength: 20 });
  fc.assert(
    fc.property(texts, (text) => expect(foldText(foldText(text))).toBe(foldText(text))),
    { numRuns: 500 },
  );
});
