import { expect, test } from "bun:test";
import { namespaceSchema } from "../config/namespace-schema.ts";
import { parseTenantId, type TenantId } from "../tenant/tenant.ts";
import { Namespaces } from "./namespaces.ts";
import { OptionPool } from "./option-pool.ts";

const sized = (size: number) => namespaceSchema.parse({ history: { size } });
const tenant = (id: string): TenantId => {
  const parsed = parseTenantId(id);
  if (!parsed.ok) throw new Error(id);
  return parsed.value;
};

test("the same options are kept once, and forgotten when nobody has them", () => {
  const pool = new OptionPool();
  const first = pool.take(sized(1));
  expect(pool.take(sized(1))).toBe(first);
  expect(pool.take(sized(2))).not.toBe(first);
  pool.release(first);
  expect(pool.take(sized(1))).toBe(first);
  for (let n = 0; n < 2; n++) pool.release(first);
  expect(pool.take(sized(1))).not.toBe(first);
});

test("namespaces of many tenants with the same options share what is compiled of them, each under its name", () => {
  const namespaces = new Namespaces({}, namespaceSchema.parse({}));
  namespaces.change(tenant("a"), "news", sized(5));
  namespaces.change(tenant("b"), "chat", sized(5));
  const a = namespaces.find(tenant("a"), "news");
  const b = namespaces.find(tenant("b"), "chat");
  expect([a.name, b.name, a.allow === b.allow, a.options === b.options]).toEqual([
    ...["news", "chat", true, true],
  ]);
  expect(namespaces.find(tenant("a"), "news")).toBe(a);
  namespaces.change(tenant("a"), "news", sized(6));
  expect(namespaces.find(tenant("a"), "news").options.history.size).toBe(6);
  expect(namespaces.find(tenant("b"), "chat")).toBe(b);
  expect(namespaces.reset(tenant("b"), "chat")).toBe(true);
  expect(namespaces.reset(tenant("b"), "chat")).toBe(false);
});
