import { expect, test } from "bun:test";
import { createFakeClock, startTestGateway, type TestGateway } from "@aldis/testkit";

const ask = (gateway: TestGateway, path: string, token?: string) =>
  gateway.http(path, { headers: { authorization: token === undefined ? "" : `Bearer ${token}` } });

test("[HT10] me tells whom the gateway takes the bearer for", async () => {
  await using gateway = await startTestGateway();
  const capabilities = { "chat:*": ["publish", "subscribe"], "user:{userId}": "*", "*": "send" };
  const claims = {
    sub: "bob",
    tenant: "acme",
    name: "Bob",
    email: "bob@example.com",
    capabilities,
  };
  const { status, body } = await ask(gateway, "/api/auth/me", await gateway.token(claims));
  expect(status).toBe(200);
  expect(body).toEqual({
    user: "bob",
    tenant: "acme",
    name: "Bob",
    email: "bob@example.com",
    capabilities: {
      "user:bob": ["subscribe", "publish", "history", "presence", "send"],
      "chat:*": ["subscribe", "publish"],
      "*": ["send"],
    },
    expiresAt: expect.any(Number),
  });
});

test("[HT10] verify says whether a token is valid, and never why more than coarsely", async () => {
  const clock = createFakeClock();
  await using gateway = await startTestGateway({ clock });
  const token = await gateway.token();
  const good = await ask(gateway, "/api/auth/verify", token);
  expect(good.body).toEqual({ valid: true, expiresAt: expect.any(Number) });
  const bad = [`${token}x`, "x", "a.b.c", gateway.apiKey, await gateway.token({ sub: "" })];
  for (const wrong of bad) {
    const { status, body } = await ask(gateway, "/api/auth/verify", wrong);
    expect([status, body]).toEqual([200, { valid: false, cause: "refused" }]);
    const me = await ask(gateway, "/api/auth/me", wrong);
    expect([me.status, me.body.error.code]).toEqual([401, "unauthorized"]);
    expect(JSON.stringify([body, me.body])).not.toContain(wrong.length > 3 ? wrong : "\0");
  }
  clock.advance(3_700_000);
  const ended = await ask(gateway, "/api/auth/verify", token);
  expect(ended.body).toEqual({ valid: false, cause: "expired" });
  for (const path of ["/api/auth/me", "/api/auth/verify"]) {
    expect((await ask(gateway, path)).status).toBe(401);
  }
  expect(gateway.logged.join()).not.toContain(token);
});

test("[HT10] faults 29: wrong tokens count like wrong keys, tokens that ended do not", async () => {
  const clock = createFakeClock();
  await using gateway = await startTestGateway({
    clock,
    config: { limits: { keyGuessesPerMinute: 3 } },
  });
  const token = await gateway.token();
  clock.advance(3_700_000);
  for (let n = 0; n < 6; n++) await ask(gateway, "/api/auth/verify", token);
  const statuses: number[] = [];
  for (let n = 0; n < 5; n++) {
    statuses.push((await ask(gateway, "/api/auth/verify", `a.b.${n}`)).status);
  }
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
});
