import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RequestTarget, requestTarget } from "./request-target.ts";

const tokenIn = (search: string, name = "token") =>
  new RequestTarget("/ws", search).queryValue(name);

describe("[AU1] values of a query", () => {
  test.each([
    ["", undefined],
    ["token", ""],
    ["token=", ""],
    ["token=a.b_c-d", "a.b_c-d"],
    ["token==a=", "=a="],
    ["token=a&token=b", "a"],
    ["token&token=b", ""],
    ["tokens=a&xtoken=b&&token=c", "c"],
    ["x=token=a", undefined],
    ["token=a%2eb+c", "a.b c"],
    ["t%6Fken=a", "a"],
    ["Token=a", undefined],
    ["?token=a", "a"],
  ])("of ?%s", (search, value) => {
    expect(tokenIn(search)).toBe(value);
  });

  test("any query at all: what URLSearchParams says", () => {
    const pieces = fc.constantFrom(
      "token",
      "session",
      "=",
      "&",
      "a",
      ".",
      "%",
      "%41",
      "+",
      "?",
      "é",
    );
    const searches = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((list) => list.join("")),
      fc.string({ unit: "binary", maxLength: 30 }),
    );
    fc.assert(
      fc.property(searches, (search) => {
        for (const name of ["token", "session", "batch"]) {
          expect(tokenIn(search, name)).toBe(new URLSearchParams(search).get(name) ?? undefined);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function targetOf(url: string): [string, string] {
  const { pathname, query } = requestTarget({ url } as Request);
  return [pathname, query.toString()];
}

test.each([
  ["http://h/api/publish", "/api/publish", ""],
  ["/api/publish", "/api/publish", ""],
  ["http://h/api/publish?a=1", "/api/publish", "a=1"],
  ["http://h/api/publish#x", "/api/publish", ""],
  ["http://h/x/api/publish", "/x/api/publish", ""],
  ["http://h//api/publish", "//api/publish", ""],
  ["http://h/?/api/publish", "/", "%2Fapi%2Fpublish="],
  ["http://h/a#/api/publish", "/a", ""],
  ["http://h", "/", ""],
])("%p is asked for %p with the query %p", (url, pathname, query) => {
  expect(targetOf(url)).toEqual([pathname, query]);
});

test("a Host with a path in it does not make the request another one's", () => {
  expect(targetOf("http://h/api/publish/health/live")[0]).toBe("/api/publish/health/live");
  expect(targetOf("http://h?/api/publish")[0]).toBe("/api/publish");
  expect(targetOf("http://[/api/publish")[0]).toBe("/api/publish");
});
