import { describe, expect, test } from "bun:test";
import { StoreUnavailable } from "../store-unavailable.ts";
import { asUnavailable, batchOutcome, causeOf, verdictOf } from "./errors.ts";

const duplicate = (index: number) => ({ index, code: 11_000 });
const confirmed = { getWriteConcernError: () => undefined };
const unconfirmed = { getWriteConcernError: () => ({ code: 64 }) };

describe("what an error of MongoDB means", () => {
  test.each([
    [{ code: 11_000 }, "duplicate"],
    [{ code: 10_334 }, "refused"],
    [{ code: 18 }, "unfit"],
    [{ name: "MongoParseError" }, "unfit"],
    [{ code: 91 }, "away"],
    [{ name: "MongoNetworkError", code: "ECONNREFUSED" }, "away"],
    [undefined, "away"],
  ] as const)("%p: %p", (error, verdict) => {
    expect(verdictOf(error)).toBe(verdict);
  });

  test("of a batch each document has its own outcome", () => {
    const some = { writeErrors: [duplicate(1), { index: 4, code: 121 }], result: confirmed };
    const unordered = { count: 6, ordered: false };
    const outcome = batchOutcome({ ...some, insertedCount: 4 }, unordered);
    expect([...outcome.duplicates]).toEqual([1]);
    expect([...outcome.refused.keys()]).toEqual([4]);
    // Of one alone the driver gives no list.
    const one = { writeErrors: duplicate(3), result: confirmed, insertedCount: 3 };
    const ordered = batchOutcome(one, { count: 6, ordered: true });
    expect([...ordered.duplicates]).toEqual([3]);
  });

  test.each([
    ["the connection was lost", { writeErrors: [], insertedCount: 0, result: confirmed }],
    ["the error is of no batch", new Error("connection closed")],
    [
      "the majority did not confirm it, though one was there already",
      { writeErrors: [duplicate(0)], insertedCount: 1, result: unconfirmed },
    ],
    [
      "one of them met a server that is none any more",
      { writeErrors: [{ index: 0, code: 91 }], insertedCount: 1, result: confirmed },
    ],
    [
      "the second half of it was not tried",
      { writeErrors: [duplicate(0)], insertedCount: 0, result: confirmed },
    ],
  ] as const)("P4: a batch is not acknowledged when %s", (_, error) => {
    expect(() => batchOutcome(error, { count: 2, ordered: false })).toThrow(StoreUnavailable);
  });

  test("P7: no value that MongoDB quotes gets into a message", () => {
    const error = {
      name: "MongoServerError",
      codeName: "Broken",
      message: "dup key: { a: 'ann' }",
    };
    expect(causeOf(error)).toBe("MongoServerError Broken");
    expect(asUnavailable(error).message).not.toContain("ann");
  });
});
