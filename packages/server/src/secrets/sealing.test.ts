import { expect, test } from "bun:test";
import { createSealing } from "./sealing.ts";

const KEY = "a key that seals what is kept, long enough";

test("what is sealed opens at its place alone, and shows nothing of itself", () => {
  const sealing = createSealing([KEY]);
  const sealed = sealing.seal("tenant/acme/a", "geheim ü");
  expect(sealed).not.toContain("geheim");
  expect(sealing.seal("tenant/acme/a", "geheim ü")).not.toBe(sealed);
  expect(sealing.open("tenant/acme/a", sealed)).toBe("geheim ü");
  expect(sealing.open("tenant/beta/a", sealed)).toBeUndefined();
  expect(createSealing([`${KEY}!`]).open("tenant/acme/a", sealed)).toBeUndefined();
});

test("a newer key takes an older one's place, and what was written before there was one opens still", () => {
  const old = createSealing([KEY]).seal("p", "x");
  const plain = createSealing([]).seal("p", "y");
  const both = createSealing(["another key that seals, long enough", KEY]);
  expect([both.open("p", old), both.open("p", plain)]).toEqual(["x", "y"]);
  expect(createSealing([KEY]).open("p", both.seal("p", "z"))).toBeUndefined();
  expect(createSealing([]).open("p", old)).toBeUndefined();
});

test("whatever was changed does not open", () => {
  const sealing = createSealing([KEY]);
  const sealed = sealing.seal("p", "x");
  const bytes = Buffer.from(sealed.slice("sealed:".length), "base64url");
  for (const place of bytes.keys()) {
    const changed = Buffer.from(bytes);
    changed[place] = (changed[place] ?? 0) ^ 1;
    expect(sealing.open("p", `sealed:${changed.toString("base64url")}`)).toBeUndefined();
  }
  for (const text of ["", "sealed:", "sealed:AAAA", "other:x", "x"]) {
    expect(sealing.open("p", text)).toBeUndefined();
  }
});
