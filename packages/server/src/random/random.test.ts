import { expect, test } from "bun:test";
import { createRandomIds } from "./random.ts";

test("ids are base64url of so many bytes, and do not repeat over many blocks", () => {
  const random = createRandomIds();
  const ids = Array.from({ length: 5_000 }, () => random.id(12));
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{16}$/);
  expect(new Set(ids).size).toBe(ids.length);
});

test("sizes that do not divide a block leave no id short", () => {
  const random = createRandomIds();
  for (let n = 0; n < 3_000; n++) expect(random.id(15).length).toBe(20);
});

test("two makers share nothing", () => {
  const [one, two] = [createRandomIds(), createRandomIds()];
  const ids = Array.from({ length: 500 }, () => [one.id(6), two.id(6)]).flat();
  expect(new Set(ids).size).toBe(ids.length);
});
