import { describe, expect, test } from "bun:test";
import { eventually, RawClient, startTestGateway } from "@aldis/testkit";

const OTHER = "a-key-of-the-other-tenant-0";
const SENDS_ONLY = "a-key-that-sends-and-no-more";
const start = () =>
  startTestGateway({
    config: {
      api: {
        keys: [
          { key: "test-api-key-0123456789abcdef" },
          { key: OTHER, tenant: "other" },
          { key: SENDS_ONLY, scopes: ["send"] },
        ],
      },
    },
  });

describe("[HT8] messages", () => {
  test("broadcast publishes to each channel by itself", async () => {
    await using gateway = await start();
    const ann = await gateway.connect();
    for (const channel of ["chat:a", "chat:b"]) await ann.must("subscribe", { channel });
    await gateway.call("PUT", "/api/namespaces/tiny", { messageMaxBytes: 3 });
    const command = {
      channels: ["chat:a", "tiny:x", "chat:b"],
      event: "say",
      data: "hello",
      idempotencyKey: "once",
    };
    const { status, body } = await gateway.call("POST", "/api/broadcast", command);
    expect(status).toBe(200);
    expect(body.results).toEqual([
      { channel: "chat:a", offset: 1, epoch: expect.any(String) },
      { channel: "tiny:x", error: expect.objectContaining({ code: "too_large" }) },
      { channel: "chat:b", offset: 1, epoch: expect.any(String) },
    ]);
    for (const channel of ["chat:a", "chat:b"]) {
      expect((await ann.next("message")).data).toMatchObject({ channel, data: "hello" });
    }
    const again = await gateway.call("POST", "/api/broadcast", command);
    expect(again.body.results[2].duplicate).toBe(true);
    for (const bad of [
      { channels: [], data: 1 },
      { channels: Array.from({ length: 101 }, () => "a"), data: 1 },
      { channels: ["a", "b c"], data: 1 },
      { channels: "a", data: 1 },
      { channels: ["a"] },
      { channels: ["a"], data: 1, base64: "AAE=" },
    ]) {
      expect((await gateway.call("POST", "/api/broadcast", bad)).status).toBe(400);
    }
  });

  test("[DM1] [DM3] sending to a user and to a connection; P2: nobody of another tenant is there", async () => {
    await using gateway = await start();
    const [one, two] = [await gateway.connect(), await gateway.connect()];
    const eve = await gateway.connect({ tenant: "other" });
    const body = { event: "note", data: { n: 1 } };
    expect((await gateway.call("POST", "/api/users/ann/send", body)).body).toEqual({
      delivered: 2,
    });
    for (const client of [one, two]) {
      const { data } = await client.next("message");
      expect(data).toEqual({
        direct: "user",
        at: expect.any(Number),
        event: "note",
        data: { n: 1 },
      });
    }
    const path = `/api/connections/${two.welcome.connection}/send`;
    const urgent = await gateway.call("POST", path, { base64: "AAE=", urgent: true });
    expect(urgent.body).toEqual({ delivered: 1 });
    expect((await two.next("message")).data).toMatchObject({
      direct: "connection",
      base64: "AAE=",
    });
    for (const target of [path, "/api/connections/nowhere/send", "/api/users/bob/send"]) {
      const { body: answer } = await gateway.call("POST", target, { data: 1 }, OTHER);
      expect(answer).toEqual({ delivered: 0 });
    }
    await Promise.all([one.settle(), eve.settle()]);
    expect(eve.all.filter(({ action }) => action === "message")).toEqual([]);
    expect(one.frames).toEqual([]);
    const large = await gateway.call("POST", path, { data: "x".repeat(70_000) });
    expect([large.status, large.body.error.code]).toEqual([413, "too_large"]);
    const none = await gateway.call("POST", path, {});
    expect(none.status).toBe(400);
    const sub = "a/b%2F ?#é";
    const odd = await gateway.connect({ sub });
    const sent = await gateway.call("POST", `/api/users/${encodeURIComponent(sub)}/send`, {
      data: 1,
    });
    expect(sent.body).toEqual({ delivered: 1 });
    await odd.next("message");
  });

  test("a batch is done in order, and one that fails stops no other", async () => {
    await using gateway = await start();
    const ann = await gateway.connect();
    const commands = [
      { publish: { channel: "chat:a", data: 1 } },
      { subscribe: { user: "ann", channel: "chat:a" } },
      { publish: { channel: "chat:a", data: 2 } },
      { publish: { channel: "no name", data: 2 } },
      { fly: {} },
      {},
      { publish: { channel: "chat:a", data: 3 }, send: { user: "ann", data: 3 } },
      { send: { user: "ann", connection: "c", data: 3 } },
      { send: { data: 3 } },
      { broadcast: { channels: ["chat:a", "chat:b"], data: 3 } },
      { send: { connection: ann.welcome.connection, data: "hi" } },
      { unsubscribe: { user: "ann", channel: "chat:a" } },
      { disconnect: { user: "nobody" } },
    ];
    const { status, body } = await gateway.call("POST", "/api/batch", { commands });
    expect(status).toBe(200);
    const kinds = body.results.map((result: Record<string, { code?: string }>) =>
      result["error"] ? result["error"].code : Object.keys(result)[0],
    );
    expect(kinds).toEqual([
      "offset",
      "connections",
      "offset",
      "bad_channel",
      ...Array.from({ length: 5 }, () => "bad_request"),
      "results",
      "delivered",
      "connections",
      "connections",
    ]);
    await ann.settle();
    const heard = ann.all.filter(({ action }) => action === "message").map(({ data }) => data.data);
    expect(heard).toEqual([2, 3, "hi"]);
    const sends = { commands: [commands[0], { send: { user: "ann", data: 1 } }] };
    const limited = await gateway.call("POST", "/api/batch", sends, SENDS_ONLY);
    expect(limited.body.results).toEqual([
      { error: expect.objectContaining({ code: "forbidden" }) },
      { delivered: 1 },
    ]);
    for (const bad of [
      {},
      { commands: [] },
      { commands: [1] },
      { commands: Array(101).fill({}) },
    ]) {
      expect((await gateway.call("POST", "/api/batch", bad)).status).toBe(400);
    }
  });

  test("P3: a batch publishes a bounded number of times, and others have their turn meanwhile", async () => {
    await using gateway = await start();
    const channels = Array.from({ length: 100 }, (_, n) => `chat:${n}`);
    const commands = Array.from({ length: 12 }, () => ({ broadcast: { channels, data: 1 } }));
    let live = 0;
    const batch = gateway.call("POST", "/api/batch", { commands });
    await Promise.all([
      batch,
      fetch(`${gateway.url}/health/live`).then(() => {
        live = gateway.gateway.counters.publications;
      }),
    ]);
    const { body } = await batch;
    const codes = body.results.map((result: { error?: { code: string } }) => result.error?.code);
    expect(codes).toEqual([...Array(10).fill(undefined), "limit_reached", "limit_reached"]);
    expect(gateway.gateway.counters.publications).toBe(1_000);
    expect(live).toBeLessThan(1_001);
  });
});

describe("[HT9] [SE9] control", () => {
  test("who is out of line when a backend takes them out of a channel is told so on coming back", async () => {
    await using gateway = await start();
    const ann = await gateway.connect({ capabilities: {} });
    const channel = { channel: "chat:a" };
    await gateway.call("POST", "/api/users/ann/subscribe", channel);
    await ann.next("subscribe");
    ann.cut();
    await eventually("the break is seen", () => gateway.gateway.connections === 0);
    const ended = await gateway.call("POST", "/api/users/ann/unsubscribe", channel);
    expect(ended.body).toEqual({ connections: 0 });
    await gateway.publish("chat:a", "secret");
    const back = await RawClient.connect(`${gateway.wsUrl}?session=${ann.welcome.session}`);
    expect(back.welcome).toMatchObject({ resumed: true, granted: [] });
    expect((await back.next("unsubscribe")).data).toEqual({ ...channel, code: "forbidden" });
    await back.settle();
    expect(back.all.some(({ action }) => action === "message")).toBe(false);
    await back.refused("subscribe", channel);
  });

  test("[HT9] who may subscribe by their token is told so on coming back too, and may come again", async () => {
    await using gateway = await start();
    const ann = await gateway.connect();
    const channel = { channel: "chat:a" };
    await ann.must("subscribe", channel);
    ann.cut();
    await eventually("the break is seen", () => gateway.gateway.connections === 0);
    await gateway.call("POST", "/api/users/ann/unsubscribe", channel);
    await gateway.publish("chat:a", "missed");
    const back = await RawClient.connect(`${gateway.wsUrl}?session=${ann.welcome.session}`);
    expect((await back.next("unsubscribe")).data).toEqual({ ...channel, code: "forbidden" });
    await back.settle();
    expect(back.all.some(({ action }) => action === "message")).toBe(false);
    await back.must("subscribe", channel);
    await gateway.publish("chat:a", "live");
    await back.wait(({ data }) => data?.data === "live");
  });

  test("a backend puts a user into a channel that the token does not allow, across a resume, and out again", async () => {
    await using gateway = await start();
    const ann = await gateway.connect({ capabilities: {} });
    await ann.refused("subscribe", { channel: "chat:a" });
    await gateway.publish("chat:a", "before");
    const channel = { channel: "chat:a" };
    const touched = await gateway.call("POST", "/api/users/ann/subscribe", channel);
    expect(touched.body).toEqual({ connections: 1 });
    expect((await ann.next("subscribe")).data).toMatchObject({
      channel: "chat:a",
      recovered: false,
      offset: 1,
      granted: true,
    });
    await gateway.publish("chat:a", "live");
    expect((await ann.next("message")).data).toMatchObject({ offset: 2, data: "live" });
    // Subscribing again by itself, as an SDK does to mend a gap, is allowed now; so is a review of the rights.
    await ann.must("subscribe", { channel: "chat:a", since: (await position(ann)).since });
    await gateway.call("PUT", "/api/namespaces/chat", { wildcard: true });
    const { session } = ann.welcome;
    ann.cut();
    await eventually("the break is seen", () => gateway.gateway.connections === 0);
    await gateway.publish("chat:a", "missed");
    const back = await RawClient.connect(`${gateway.wsUrl}?session=${session}`);
    expect(back.welcome).toMatchObject({ resumed: true, granted: ["chat:a"] });
    expect((await back.next("subscribe")).data).toMatchObject({ recovered: true, granted: true });
    await back.wait(({ data }) => data?.data === "missed");
    const ended = await gateway.call("POST", "/api/users/ann/unsubscribe", channel);
    expect(ended.body).toEqual({ connections: 1 });
    expect((await back.next("unsubscribe")).data).toEqual({ channel: "chat:a", code: "forbidden" });
    await back.refused("subscribe", { channel: "chat:a" });
    expect((await gateway.call("POST", "/api/users/ann/unsubscribe", channel)).body).toEqual({
      connections: 0,
    });
  });

  test("the client's own unsubscribe gives the channel back, and the limit of subscriptions holds", async () => {
    await using gateway = await startTestGateway({
      config: { limits: { subscriptionsPerConnection: 2 } },
    });
    const ann = await gateway.connect({ capabilities: {} });
    const path = `/api/connections/${ann.welcome.connection}/subscribe`;
    for (const [name, connections] of [
      ["a", 1],
      ["b", 1],
      ["b", 1],
      ["c", 0],
    ] as const) {
      const { body } = await gateway.call("POST", path, { channel: `chat:${name}` });
      expect([name, body.connections]).toEqual([name, connections]);
    }
    await ann.must("unsubscribe", { channel: "chat:a" });
    await ann.refused("subscribe", { channel: "chat:a" });
    expect((await gateway.call("POST", path, { channel: "chat:c" })).body).toEqual({
      connections: 1,
    });
    expect((await gateway.call("POST", path, { channel: "chat:*" })).status).toBe(400);
  });

  test("[SE8] [CL1] disconnect: 4502 stays away and ends the session, 4011 comes back to it", async () => {
    await using gateway = await start();
    const [one, two] = [await gateway.connect(), await gateway.connect()];
    const bob = await gateway.connect({ sub: "bob" });
    const path = `/api/connections/${one.welcome.connection}/disconnect`;
    const first = await gateway.call("POST", path, { reason: "moved", reconnect: true });
    expect(first.body).toEqual({ connections: 1 });
    expect(await one.closed).toEqual({ code: 4011, reason: "moved" });
    const back = await RawClient.connect(`${gateway.wsUrl}?session=${one.welcome.session}`);
    expect(back.welcome.resumed).toBe(true);
    const all = await gateway.call("POST", "/api/users/ann/disconnect", {});
    expect(all.body).toEqual({ connections: 2 });
    for (const client of [two, back]) {
      expect(await client.closed).toEqual({
        code: 4502,
        reason: "disconnected by the application",
      });
    }
    await bob.settle();
    expect((await gateway.call("POST", path, {})).body).toEqual({ connections: 0 });
    const foreign = `/api/connections/${bob.welcome.connection}/disconnect`;
    expect((await gateway.call("POST", foreign, {}, OTHER)).body).toEqual({ connections: 0 });
    await bob.settle();
    const long = await gateway.call("POST", foreign, { reason: "ä".repeat(62) });
    expect(long.status).toBe(400);
  });
});

async function position(client: RawClient) {
  await client.settle();
  const stands = client.all.findLast(({ action }) => action === "subscribe")?.data;
  return { since: { offset: stands.offset, epoch: stands.epoch } };
}
