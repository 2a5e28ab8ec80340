/** Tenants at run time, by an operator's key. */
import { expect, test } from "bun:test";
import { API_KEY, SECRET } from "@aldis/testkit";
import { createBackend, createToken } from "../src/index.ts";
import { withStore } from "./support/gateway.ts";

const ADMIN_KEY = "an-operators-key-0123456789abcdef";

test("[TN1] an operator makes a tenant, its keys, acts for it, and reads who did what", async () => {
  await using gateway = await withStore({
    api: { keys: [{ key: API_KEY }, { key: ADMIN_KEY, scopes: ["*", "tenants"] }] },
  });
  const { url } = gateway;
  const operator = createBackend({ url, apiKey: ADMIN_KEY });
  await operator.tenants.create({ id: "acme", name: "Acme", quotas: { connections: 10 } });
  expect((await operator.tenants.list().take()).map(({ id }) => id)).toContain("acme");
  const made = await operator.keys.create("acme", { name: "shop", scopes: ["publish", "read"] });

  const acme = createBackend({ url, apiKey: made.key });
  expect(await acme.publish("a", "of acme")).toMatchObject({ offset: 1 });
  // The same channel's name, another tenant's channel (P2).
  expect((await operator.history("a").page()).publications).toEqual([]);
  const [publication] = await operator.forTenant("acme").history("a").take();
  expect(publication?.data).toBe("of acme");

  const code = (promise: Promise<unknown>) =>
    promise.catch((error: { code: string }) => error.code);
  expect(await code(acme.tenants.list().page())).toBe("forbidden");
  expect(await code(acme.forTenant("default").publish("a", 1))).toBe("forbidden");
  const next = await operator.keys.rotate("acme", made.id, { overlapMs: 0 });
  expect(await code(acme.publish("a", 1))).toBe("unauthorized");
  const renewed = createBackend({ url, apiKey: next.key });
  await operator.tenants.suspend("acme");
  expect(await code(renewed.publish("a", 1))).toBe("forbidden");
  await operator.tenants.resume("acme");
  expect(await renewed.publish("a", 2)).toMatchObject({ offset: 2 });
  await operator.keys.revoke("acme", next.id);
  expect(await code(renewed.publish("a", 1))).toBe("unauthorized");

  // Tokens of its own, which this SDK signs.
  const { id, secret } = await operator.tokenSecrets.create("acme");
  const token = await createToken({ secret, user: "ann", tenant: "acme" });
  expect(await operator.tokens.identify(token)).toMatchObject({ user: "ann", tenant: "acme" });
  const foreign = await createToken({ secret: SECRET, user: "ann", tenant: "acme" });
  expect(await operator.tokens.verify(foreign)).toMatchObject({ valid: false });
  const other = await operator.tokenSecrets.rotate("acme", id, { overlapMs: 0 });
  expect((await operator.tokenSecrets.list("acme")).map((one) => one.id)).toContain(other.id);
  expect(await operator.tokens.verify(token)).toMatchObject({ valid: false });

  const actions = (await operator.audit({ tenant: "acme", limit: 2 }).take()).map(
    ({ action }) => action,
  );
  expect(actions).toContain("tenant.created");
  expect(actions.length).toBeGreaterThan(5);
  expect(await operator.tenants.remove("acme")).toMatchObject({ status: "deleted" });
});
