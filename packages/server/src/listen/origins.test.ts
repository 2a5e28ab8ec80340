import { describe, expect, test } from "bun:test";
import { originProblem } from "../config/origin-rule.ts";
import { createOriginCheck } from "./origins.ts";

const HOST = "app.example.com";

function allowed(rules: string[], origins: (string | null)[], host: string | null = HOST) {
  const check = createOriginCheck(rules);
  return origins.filter((origin) => check(origin, host));
}

describe("origins (faults 31)", () => {
  test("programs send none, and are let in", () => {
    expect(allowed(["self"], [null])).toEqual([null]);
    expect(allowed([], [null], null)).toEqual([null]);
  });

  test("`self` is the host that was asked, with its port", () => {
    const origins = [
      "https://app.example.com",
      "http://app.example.com",
      "HTTPS://APP.EXAMPLE.COM",
      "https://app.example.com:8443",
      "https://example.com",
    ];
    expect(allowed(["self"], origins)).toEqual(origins.slice(0, 3));
    expect(allowed(["self"], origins, "app.example.com:8443")).toEqual([origins[3] ?? ""]);
    expect(allowed(["self"], origins, "APP.example.com")).toEqual(origins.slice(0, 3));
    expect(allowed(["self"], ["http://[::1]:8965"], "[::1]:8965")).toEqual(["http://[::1]:8965"]);
    expect(allowed(["self"], origins, null)).toEqual([]);
  });

  test("an origin is its scheme, host and port, all of them", () => {
    const origins = [
      "https://app.example.com",
      "http://app.example.com",
      "https://app.example.com:444",
      "https://APP.example.com",
      "https://www.app.example.com",
    ];
    expect(allowed(["https://app.example.com"], origins, null)).toEqual([
      "https://app.example.com",
      "https://APP.example.com",
    ]);
    expect(allowed(["https://app.example.com:444"], origins, null)).toEqual([
      "https://app.example.com:444",
    ]);
    expect(allowed(["https://app.example.com:*"], origins, null)).toEqual([
      "https://app.example.com",
      "https://app.example.com:444",
      "https://APP.example.com",
    ]);
  });

  test("`*.` is any subdomain, at any depth, and not the domain itself", () => {
    const origins = [
      "https://a.example.com",
      "https://a.b.example.com",
      "https://example.com",
      "https://aexample.com",
      "https://example.com.evil.com",
      "https://a.example.com:444",
      "http://a.example.com",
    ];
    expect(allowed(["https://*.example.com"], origins, null)).toEqual(origins.slice(0, 2));
  });

  test.each([
    "null",
    "",
    " ",
    "https://app.example.com.evil.com",
    "https://app.example.com.",
    "https://evil.com/app.example.com",
    "https://app.example.com@evil.com",
    "https://app.example.com:443@evil.com",
    "https://evil.com#app.example.com",
    "https://evil.com?app.example.com",
    "https://evil.com\\.app.example.com",
    "https://app.example.com/",
    "https://app.example.com/path",
    "https://app.example.com, https://evil.com",
    "https://evil.com https://app.example.com",
    "https://app.example.com\n",
    "https://app.example.com:",
    "https://app.example.com:x",
    "https://app.example.com:443443",
    "https://xapp.example.com",
    "https:app.example.com",
    "//app.example.com",
    "app.example.com",
    "javascript://app.example.com",
    "https://аpp.example.com",
  ])("%p is let in by no rule that names a host", (origin) => {
    const rules = ["self", "https://app.example.com", "https://app.example.com:*"];
    const check = createOriginCheck(rules);
    const schemeAlone = origin === "javascript://app.example.com";
    // By `self` the scheme does not count: the browser sent the page's, and it is from this host.
    expect(check(origin, schemeAlone ? null : HOST)).toBe(false);
  });

  test.each([
    "https://evil.com\\.example.com",
    "https://.example.com",
    "https://a.example.com.evil.com",
    "https://a.example.com@evil.com",
    "https://evil.com#.example.com",
    "https://evil.com/.example.com",
    "https://evil.com:1.example.com",
    "null",
  ])("%p is no subdomain", (origin) => {
    expect(createOriginCheck(["https://*.example.com"])(origin, null)).toBe(false);
    expect(createOriginCheck(["https://*.example.com:*"])(origin, null)).toBe(false);
  });

  test("`*` lets any page in, also one without an origin of its own", () => {
    const origins = ["null", "https://evil.com", "x", null];
    expect(allowed(["*"], origins)).toEqual(origins);
    expect(allowed(["self", "*"], origins)).toEqual(origins);
  });

  test("nothing allowed lets no page in", () => {
    expect(allowed([], ["https://app.example.com", "null"])).toEqual([]);
  });

  test("what is no origin is told, and never compiled into something else", () => {
    const good = [
      "*",
      "self",
      "https://a.b",
      "https://*.a.b",
      "http://localhost:*",
      "http://[::1]:1",
    ];
    const bad = ["a.b", "https://a.b/", "https://a.b/x", "https://u@a.b", "null", "", "https://"];
    expect(good.map(originProblem)).toEqual(good.map(() => undefined));
    for (const rule of bad) {
      expect(originProblem(rule)).toBeString();
      expect(() => createOriginCheck([rule])).toThrow();
    }
  });
});
