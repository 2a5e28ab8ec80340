import { expect, test } from "bun:test";
import fc from "fast-check";
import type { JWTPayload } from "jose";
import { CLAIM_DEFAULTS, createIdentityReader, isUserId } from "./claims.ts";

const read = createIdentityReader(CLAIM_DEFAULTS);

test.each([
  ["https://example.com/a.png", true],
  ["HTTP://example.com/a.png", true],
  ["javascript:alert(1)", false],
  ["data:text/html,<script>", false],
  ["//example.com/a.png", false],
  [" https://example.com", false],
  ["https://", false],
  [`https://example.com/${"a".repeat(2048)}`, false],
])("script injection: picture %p is shown: %p", (picture, shown) => {
  expect(read({ sub: "ann", picture })?.avatar).toBe(shown ? picture : undefined);
});

test("`exp` of infinity, or in milliseconds, is refused", () => {
  const payload: JWTPayload = JSON.parse('{"sub":"ann","exp":1e999}');
  expect(read(payload)).toBeUndefined();
  expect(read({ sub: "ann", exp: 253_402_300_800 })).toBeUndefined();
  expect(read({ sub: "ann", exp: 253_402_300_799 })).toBeDefined();
});

test("no path reaches what every object has", () => {
  for (const path of [
    "constructor",
    "__proto__",
    "toString.name",
    "constructor.name",
    "sub.length",
  ]) {
    const reader = createIdentityReader({ ...CLAIM_DEFAULTS, user: path });
    expect(reader({ sub: "ann" })).toBeUndefined();
  }
  for (const path of ["__proto__", "toString", "constructor"]) {
    const reader = createIdentityReader({ ...CLAIM_DEFAULTS, tenant: path });
    expect(reader({ sub: "ann" })?.tenant).toBe("default" as never);
  }
  const own: JWTPayload = JSON.parse('{"__proto__":{"tenant":"acme"},"sub":"ann"}');
  expect(read(own)?.tenant).toBe("default" as never);
  const through = createIdentityReader({ ...CLAIM_DEFAULTS, tenant: "__proto__.tenant" });
  expect(through(own)?.tenant).toBe("acme" as never);
});

test("a path that meets a list or a text on its way finds nothing", () => {
  const reader = createIdentityReader({ ...CLAIM_DEFAULTS, tenant: "org.id" });
  for (const org of [["acme"], "acme", null, 7]) {
    expect(reader({ sub: "ann", org })?.tenant).toBe("default" as never);
  }
});

test("`{userId}` in capabilities is the claimed user", () => {
  const identity = read({ sub: "ann", capabilities: { "user:{userId}": "*" } });
  expect([...(identity?.capabilities.exact.keys() ?? [])]).toEqual(["user:ann"]);
});

test("every JSON value as `sub` is either a sound id or refused", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (sub) => {
      const identity = read({ sub: sub as never });
      expect(identity?.userId).toBe(isUserId(sub) ? sub : undefined);
    }),
  );
});
