import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseTenantId, type TenantId } from "../tenant/tenant.ts";
import { createApiKeys, hashOfKey } from "./api-keys.ts";
import { SCOPES } from "./scopes.ts";

function tenant(name: string): TenantId {
  const parsed = parseTenantId(name);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

describe("API keys", () => {
  const keys = createApiKeys([
    { key: "key-of-acme-0001", tenant: tenant("acme"), scopes: ["*"] },
    { key: "key-of-acme-0002", tenant: tenant("acme"), scopes: ["*"] },
    { key: "key-of-other-001", tenant: tenant("other"), scopes: ["*"] },
  ]);

  test.each([
    ["Bearer key-of-acme-0001", "acme"],
    ["Bearer key-of-acme-0002", "acme"],
    ["bearer key-of-other-001", "other"],
    ["BEARER   key-of-other-001 ", "other"],
  ])("%p speaks for %s", (header, expected) => {
    expect(keys.grantOf(header)?.tenant).toBe(tenant(expected));
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
    expect(keys.grantOf(header)).toBeUndefined();
  });

  test("no key opens when none are configured", () => {
    expect(createApiKeys([]).grantOf("Bearer x")).toBeUndefined();
  });

  test("arbitrary headers open nothing and throw nothing", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        (text) => keys.grantOf(`Bearer ${text}`) === undefined,
      ),
    );
  });

  test("refuses keys whose tenant would be a guess, and shows none of them", () => {
    const twice = ["acme", "other"].map((name) => ({
      key: "the-same-key-twice",
      tenant: tenant(name),
      scopes: ["*"] as const,
    }));
    expect(() => createApiKeys(twice)).toThrow("API key 2 is in the list twice");
    expect(() => createApiKeys([{ key: "", tenant: tenant("acme"), scopes: [] }])).toThrow(
      "API key 1 has neither",
    );
  });

  test("a key and its hash are the same key, with the scopes that it was given", () => {
    const hash = hashOfKey("key-of-acme-0001");
    const hashed = createApiKeys([
      { hash: hash.toUpperCase().replace("SHA", "sha"), tenant: tenant("acme"), scopes: ["read"] },
    ]);
    const grant = hashed.grantOf("Bearer key-of-acme-0001");
    expect(grant?.tenant).toBe(tenant("acme"));
    expect([...(grant?.scopes ?? [])]).toEqual(["read"]);
    expect(hashed.grantOf(`Bearer ${hash}`)).toBeUndefined();
  });

  test("P2: `*` is everything, but the nodes, and the figures of all tenants only where there is one", () => {
    const key = { key: "key-of-acme-0001", tenant: tenant("acme"), scopes: ["*"] as const };
    const scopes = (list: Parameters<typeof createApiKeys>[0]) => [
      ...(createApiKeys(list).grantOf("Bearer key-of-acme-0001")?.scopes ?? []),
    ];
    const other = { key: "key-of-other-001", tenant: tenant("other"), scopes: ["*"] as const };
    const own = SCOPES.filter((scope) => scope !== "cluster" && scope !== "tenants");
    expect(scopes([key])).toEqual(own);
    expect(scopes([key, other])).toEqual(own.filter((scope) => scope !== "metrics"));
    const named = ["*", "metrics", "cluster", "tenants"] as const;
    expect(scopes([{ ...key, scopes: named }, other])).toEqual([...SCOPES]);
  });

  test("P2: `*` shows the figures of all tenants no longer when another tenant gets a key at run time", () => {
    let others = false;
    const runTime = { grantOf: () => undefined, hasOthersThan: () => others };
    const key = { key: "key-of-acme-0001", tenant: tenant("acme"), scopes: ["*"] as const };
    const own = createApiKeys([key], runTime);
    const mayRead = () => own.grantOf("Bearer key-of-acme-0001")?.scopes.has("metrics");
    expect(mayRead()).toBe(true);
    others = true;
    expect(mayRead()).toBe(false);
  });

  test("keeps no key where it could be printed", () => {
    expect(Bun.inspect(keys, { depth: 10 })).not.toContain("key-of");
  });
});
