import { describe, expect, test } from "bun:test";
import { RawClient, startTestGateway } from "@aldis/testkit";

const KEY_A = "key-of-tenant-a-0123456789";
const KEY_B = "key-of-tenant-b-0123456789";
const config = {
  api: {
    keys: [
      { key: KEY_A, tenant: "a" },
      { key: KEY_B, tenant: "b" },
    ],
  },
  namespaces: { news: { wildcard: true } },
  direct: { allow: "user" as const },
};

/** Two tenants, in each of them the users ann and bob. */
async function startWithTenants() {
  const gateway = await startTestGateway({ config });
  const publish = (key: string, channel: string, data: unknown, more: object = {}) =>
    gateway.call("POST", "/api/publish", { channel, data, ...more }, key);
  return {
    gateway,
    annA: await gateway.connect({ tenant: "a", sub: "ann" }),
    bobA: await gateway.connect({ tenant: "a", sub: "bob" }),
    annB: await gateway.connect({ tenant: "b", sub: "ann" }),
    publishA: publish.bind(undefined, KEY_A),
    publishB: publish.bind(undefined, KEY_B),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

/** All that a client was ever sent, but its own welcome and pongs. */
async function heard(client: RawClient) {
  await client.settle();
  return client.all.filter(({ action }) => action !== "welcome" && action !== "pong");
}

describe("[CN3] [P2] two tenants with the same names see nothing of each other", () => {
  test("messages, offsets, epochs, history and recovery", async () => {
    await using t = await startWithTenants();
    const channel = "chat:lobby";
    const a = await t.annA.must("subscribe", { channel });
    const b = await t.annB.must("subscribe", { channel });
    expect(a.epoch).not.toBe(b.epoch);
    for (let n = 1; n <= 3; n++) await t.publishA(channel, `a${n}`);
    await t.bobA.must("publish", { channel, data: "a4" });
    expect((await t.publishB(channel, "b1")).body).toEqual({ offset: 1, epoch: b.epoch });
    const messages = (await heard(t.annB)).filter(({ action }) => action === "message");
    expect(messages.map(({ data }) => data.data)).toEqual(["b1"]);
    const history = await t.annB.must("history", { channel });
    expect(history).toMatchObject({ offset: 1, epoch: b.epoch, publications: [{ data: "b1" }] });
    const since = { offset: 1, epoch: a.epoch };
    expect(await t.annB.must("subscribe", { channel, since, last: 10 })).toMatchObject({
      recovered: false,
      publications: [{ data: "b1" }],
    });
  });

  test("patterns", async () => {
    await using t = await startWithTenants();
    await t.annB.must("subscribe", { channel: "news:*" });
    await t.publishA("news:today", "a");
    await t.publishB("news:today", "b");
    const messages = (await heard(t.annB)).filter(({ action }) => action === "message");
    expect(messages.map(({ data }) => data.data)).toEqual(["b"]);
  });

  test("presence, counts, joins, leaves and typing", async () => {
    await using t = await startWithTenants();
    const channel = "chat:lobby";
    await t.annB.must("subscribe", { channel });
    await t.annA.must("subscribe", { channel });
    await t.bobA.must("subscribe", { channel });
    await t.annA.must("presence", { channel, status: "busy", data: { secret: true } });
    await t.bobA.must("typing", { channel, typing: true });
    await t.bobA.must("unsubscribe", { channel });
    expect(await t.annB.must("presence", { channel })).toEqual({
      channel,
      count: 1,
      connections: 1,
      users: [{ id: "ann", connections: 1 }],
    });
    const pushes = (await heard(t.annB)).filter((frame) => !("id" in frame));
    expect(pushes).toHaveLength(1);
    expect(pushes[0]).toMatchObject({ action: "presence", data: { event: "join", count: 1 } });
  });

  test("direct messages: neither users nor connections of another tenant are there", async () => {
    await using t = await startWithTenants();
    const toUser = await t.bobA.must("send", { user: "ann", data: 1 });
    expect(toUser.delivered).toBe(1);
    for (const connection of [t.annB.welcome.connection, "not-there"]) {
      expect(await t.bobA.must("send", { connection, data: 1 })).toEqual({ delivered: 0 });
    }
    expect(await t.annB.must("send", { user: "bob", data: 1 })).toEqual({ delivered: 0 });
    expect(await heard(t.annB)).toMatchObject([{ action: "send" }]);
  });

  test("idempotency keys and versions", async () => {
    await using t = await startWithTenants();
    const channel = "chat:lobby";
    const more = { idempotencyKey: "k", version: 7 };
    const a = await t.publishA(channel, 1, more);
    const b = await t.publishB(channel, 1, more);
    expect(a.body).not.toHaveProperty("duplicate");
    expect(b.body).toEqual({ offset: 1, epoch: expect.any(String) });
    const data = { channel, data: 2, idempotencyKey: "own" };
    expect(await t.annA.must("publish", data)).not.toHaveProperty("duplicate");
    expect(await t.annB.must("publish", data)).not.toHaveProperty("duplicate");
  });

  test("sessions: another tenant's token does not open one", async () => {
    await using t = await startWithTenants();
    await t.annA.must("subscribe", { channel: "chat:lobby" });
    const token = await t.gateway.token({ tenant: "b", sub: "ann" });
    const url = `${t.gateway.wsUrl}?token=${token}&session=${t.annA.welcome.session}`;
    const thief = await RawClient.connect(url);
    expect(thief.welcome).toMatchObject({ resumed: false, tenant: "b" });
    await t.publishA("chat:lobby", "for a");
    expect(await heard(thief)).toBeEmpty();
  });

  test("namespaces changed at run time, and what is listed of them", async () => {
    await using t = await startWithTenants();
    const { gateway } = t;
    const put = await gateway.call(
      "PUT",
      "/api/namespaces/secret-a",
      { messageMaxBytes: 3 },
      KEY_A,
    );
    expect(put.status).toBe(200);
    const names = async (key: string) =>
      (await gateway.call("GET", "/api/namespaces", undefined, key)).body.namespaces.map(
        ({ name }: { name: string }) => name,
      );
    expect(await names(KEY_A)).toContain("secret-a");
    expect(await names(KEY_B)).not.toContain("secret-a");
    expect((await t.publishA("secret-a:x", "too long")).status).toBe(413);
    expect((await t.publishB("secret-a:x", "too long")).status).toBe(200);
    const reset = await gateway.call("DELETE", "/api/namespaces/secret-a", undefined, KEY_B);
    expect(reset.status).toBe(404);
  });

  test("names that look like another tenant's keys stay inside the tenant (faults 26)", async () => {
    await using t = await startWithTenants();
    await t.annB.must("subscribe", { channel: "chat:lobby" });
    const offset = (await t.annB.must("history", { channel: "chat:lobby" })).offset;
    for (const channel of ["b/chat:lobby", "../b/chat:lobby", "/b/chat:lobby", "b//chat:lobby"]) {
      await t.publishA(channel, "from a");
      await t.annA.must("publish", { channel, data: "from a" });
      await t.annA.must("subscribe", { channel });
    }
    await t.publishB("chat:lobby", "from b");
    const messages = (await heard(t.annB)).filter(({ action }) => action === "message");
    expect(messages.map(({ data }) => [data.offset, data.data])).toEqual([[offset + 1, "from b"]]);
    expect((await heard(t.annA)).filter(({ data }) => data.data === "from b")).toBeEmpty();
  });

  test("users whose ids look like another tenant's stay inside the tenant", async () => {
    await using t = await startWithTenants();
    for (const user of ["b/ann", "../b/ann", "/ann", "ann/b"]) {
      expect(await t.annA.must("send", { user, data: 1 })).toEqual({ delivered: 0 });
    }
    const crafty = await t.gateway.connect({ tenant: "a", sub: "b/ann" });
    expect(await t.annB.must("send", { user: "ann", data: 1 })).toEqual({ delivered: 1 });
    expect(await heard(crafty)).toBeEmpty();
  });
});
