import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseTenantId, type TenantId } from "../tenant/tenant.ts";
import { createApiKeys } from "./api-keys.ts";

function tenant(name: string): TenantId {
  const parsed = parseTenantId(name);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

describe("API keys", () => {
  const keys = createApiKeys([
    { key: "key-of-acme-0001", tenant: tenant("acme") },
    { key: "key-of-acme-0002", tenant: tenant("acme") },
    { key: "key-of-other-001", tenant: tenant("other") },
  ]);

  test.each([
    ["Bearer key-of-acme-0001", "acme"],
    ["Bearer key-of-acme-0002", "acme"],
    ["bearer key-of-other-001", "other"],
    ["BEARER   key-of-other-001 ", "other"],
  ])("%p speaks for %s", (header, expected) => {
    expect(keys.tenantOf(header)).toBe(tenant(expected));
  });

  test.each([
    null,
    "",
    "Bearer",
    "Bearer ",
    "Bearer key-of-acme-000",
    "Bearer key-of-acme-00011",
    "Bearer Key-of-acme-0001",
    "Bearer key-of-acme-0001, Bearer key-of-other-001",
    "Bearerkey-of-acme-0001",
    "Basic key-of-acme-0001",
    "key-of-acme-0001",
    `Bearer ${"k".repeat(100_000)}`,
  ])("%p speaks for nobody", (header) => {
    expect(keys.tenantOf(header)).toBeUndefined();
  });

  test("no key opens when none are configured", () => {
    expect(createApiKeys([]).tenantOf("Bearer x")).toBeUndefined();
  });

  test("arbitrary headers open nothing and throw nothing", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        (text) => keys.tenantOf(`Bearer ${text}`) === undefined,
      ),
    );
  });

  test("refuses keys whose tenant would be a guess, and shows none of them", () => {
    const twice = ["acme", "other"].map((name) => ({
      key: "the-same-key-twice",
      tenant: tenant(name),
    }));
    expect(() => createApiKeys(twice)).toThrow("API key 2 is in the list twice");
    expect(() => createApiKeys([{ key: "", tenant: tenant("acme") }])).toThrow(
      "API key 1 must have",
    );
  });

  test("keeps no key where it could be printed", () => {
    expect(Bun.inspect(keys, { depth: 10 })).not.toContain("key-of");
  });
});
