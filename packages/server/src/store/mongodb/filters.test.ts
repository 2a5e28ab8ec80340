import { describe, expect, test } from "bun:test";
import { checkConditions, checkQuery } from "../check-query.ts";
import type { Query } from "../store.ts";
import { ACME, LINES, type LogLine, PEOPLE, type Person } from "../test/bench.ts";
import { indexesOf, indexOf } from "./documents.ts";
import { behind, byKey, byKeys, bySame, filterOf, sortOf } from "./filters.ts";

const asked = (query: Query<Person>) => filterOf(ACME, checkQuery(PEOPLE, query));

describe("what MongoDB is asked", () => {
  test("[P2] each index has the tenant first, and those of optional fields leave out who has none", () => {
    expect(indexesOf(PEOPLE)).toEqual([
      { name: "key", key: { tenant: 1, id: 1 }, unique: true },
      { name: "town", key: { tenant: 1, town: 1, age: 1, id: 1 } },
      {
        name: "nickname",
        key: { tenant: 1, nickname: 1 },
        unique: true,
        partialFilterExpression: { nickname: { $exists: true } },
      },
      {
        name: "born",
        key: { tenant: 1, town: 1, born: 1, id: 1 },
        partialFilterExpression: { born: { $exists: true } },
      },
    ]);
    expect(() => indexOf(PEOPLE, "constructor")).toThrow("no index");
  });

  test("faults 32: every value stands behind an operator of ours, and a text to be found is no pattern", () => {
    const filter = asked({
      index: "town",
      same: { town: "$where" },
      above: 5,
      below: 9,
      where: { age: { not: 7 }, nickname: { is: undefined }, about: { not: undefined } },
      contains: { field: "searched", text: "a.*(b|c)$" },
      limit: 3,
    });
    expect(filter).toEqual({
      tenant: { $eq: ACME },
      town: { $eq: "$where" },
      age: { $gt: 5, $lt: 9, $ne: 7 },
      nickname: { $exists: false },
      about: { $exists: true },
      searched: { $regex: "a\\.\\*\\(b\\|c\\)\\$" },
    });
  });

  test("of two conditions of one kind on one field both hold", () => {
    expect(
      asked({ index: "town", same: { town: "a" }, where: { town: { is: "b" } }, limit: 1 }),
    ).toEqual({
      tenant: { $eq: ACME },
      town: { $eq: "a" },
      $and: [{ town: { $eq: "b" } }],
    });
  });

  test("an index with a filter is asked with its filter", () => {
    expect(asked({ index: "born", same: { town: "a" }, limit: 1 })).toEqual({
      tenant: { $eq: ACME },
      town: { $eq: "a" },
      born: { $exists: true },
    });
    expect(asked({ index: "nickname", above: "k", limit: 1 })).toEqual({
      tenant: { $eq: ACME },
      nickname: { $gt: "k" },
    });
  });

  test("the order is the index's own, behind which a unique one leaves nothing", () => {
    const sorted = (query: Query<Person>) => sortOf(PEOPLE, checkQuery(PEOPLE, query));
    expect(sorted({ index: "town", same: { town: "a" }, order: "descending", limit: 1 })).toEqual({
      age: -1,
      id: -1,
    });
    expect(sorted({ index: "nickname", limit: 1 })).toEqual({ nickname: 1 });
    expect(sorted({ index: "nickname", same: { nickname: "a" }, limit: 1 })).toEqual({});
  });

  test("keys that differ in the last field alone are asked for together", () => {
    const where = checkConditions<LogLine>(LINES, { author: { is: "ann" } });
    expect(byKey(LINES, ACME, ["a", 1], where)).toEqual({
      tenant: { $eq: ACME },
      log: { $eq: "a" },
      n: { $eq: 1 },
      author: { $eq: "ann" },
    });
    const of = (log: string, lasts: number[]) => ({
      tenant: { $eq: ACME },
      log: { $eq: log },
      n: { $in: lasts },
    });
    expect(
      byKeys(LINES, ACME, [
        ["a", 1],
        ["a", 2],
      ]),
    ).toEqual(of("a", [1, 2]));
    const two = [
      ["a", 1],
      ["b", 1],
      ["a", 3],
    ] as const;
    expect(byKeys(LINES, ACME, two)).toEqual({ $or: [of("a", [1, 3]), of("b", [1])] });
  });

  test("what is not in a unique index is not looked for in it", () => {
    expect(bySame(["log", "once"], { tenant: ACME, log: "a" })).toBeUndefined();
    expect(bySame(["constructor"], { tenant: ACME })).toBeUndefined();
    expect(bySame(["log"], { tenant: ACME, log: "a" })).toEqual({
      tenant: { $eq: ACME },
      log: { $eq: "a" },
    });
  });

  test("a sweep goes on behind tenant and key", () => {
    expect(behind(LINES, ACME, ["a", 1])).toEqual({
      $or: [
        { tenant: { $gt: ACME } },
        { tenant: { $eq: ACME }, log: { $gt: "a" } },
        { tenant: { $eq: ACME }, log: { $eq: "a" }, n: { $gt: 1 } },
      ],
    });
  });
});
