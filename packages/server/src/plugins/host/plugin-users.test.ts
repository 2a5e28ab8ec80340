import { expect, test } from "bun:test";
import { createSeededRandom } from "@aldis/testkit";
import { firstAfter } from "./plugin-users.ts";

test("pages of users are what sorting all of them would give, without a sort", () => {
  const random = createSeededRandom(7);
  for (let round = 0; round < 50; round++) {
    const names = [...new Set(Array.from({ length: 200 }, () => random.id(1)))];
    const sorted = names.toSorted();
    const after = round % 3 === 0 ? undefined : random.id(1);
    const limit = 1 + (round % 20);
    const expected = sorted.filter((name) => after === undefined || name > after).slice(0, limit);
    expect(firstAfter(names, after, limit)).toEqual(expected);
  }
  expect(firstAfter([], undefined, 10)).toEqual([]);
});
