import { describe, expect, test } from "bun:test";
import { openRawSocket, RawClient, startTestGateway } from "@aldis/testkit";

describe("protocol section 13: a gateway that stops", () => {
  test("[CL1] close() tells every client 4012, the connected and those that are not yet", async () => {
    const gateway = await startTestGateway();
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, i) => gateway.connect({ sub: `user-${i}` })),
    );
    for (const client of clients) await client.must("subscribe", { channel: "chat:lobby" });
    await gateway.gateway.close();
    for (const client of clients) {
      const { code, reason } = await client.closed;
      expect([code, reason]).toEqual([4012, "gateway is stopping"]);
    }
    expect(gateway.gateway.connections).toBe(0);
  });

  test("[CL1] the same for one that has not said who it is", async () => {
    const gateway = await startTestGateway();
    const client = await RawClient.open(gateway.wsUrl);
    await client.ask("ping");
    await gateway.gateway.close();
    expect((await client.closed).code).toBe(4012);
  });

  test("[CL1] what was decided before comes before the close", async () => {
    const gateway = await startTestGateway();
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "chat:lobby" });
    await gateway.publish("chat:lobby", "last words");
    await gateway.gateway.close();
    await ann.closed;
    expect(ann.all.at(-1)).toMatchObject({ action: "message", data: { data: "last words" } });
  });

  test("close() is idempotent, and takes no more connections", async () => {
    const gateway = await startTestGateway();
    await gateway.connect();
    await Promise.all([gateway.gateway.close(), gateway.gateway.close()]);
    await gateway.gateway.close();
    await expect(fetch(`${gateway.url}/health/live`)).rejects.toThrow();
    await expect(RawClient.open(gateway.wsUrl)).rejects.toThrow();
  });

  test("close() does not wait for a peer that does not read", async () => {
    const gateway = await startTestGateway();
    const raw = await openRawSocket(gateway.gateway.port, `/ws?token=${await gateway.token()}`);
    raw.send("subscribe", { channel: "chat:lobby" }, 1);
    await raw.message("subscribed", ({ id }) => id === 1);
    raw.pause();
    for (let n = 0; n < 300; n++) await gateway.publish("chat:lobby", "x".repeat(60_000));
    await gateway.gateway.close();
    raw.cut();
  });
});

describe("two gateways in one process share nothing", () => {
  test("messages, presence, direct messages, sessions, namespaces and counters", async () => {
    const config = { namespaces: { news: { wildcard: true } } };
    await using one = await startTestGateway({ config });
    await using two = await startTestGateway({ config });
    const here = await one.connect({ sub: "ann" });
    const there = await two.connect({ sub: "bob" });
    for (const channel of ["chat:lobby", "news:*"]) {
      await here.must("subscribe", { channel });
      await there.must("subscribe", { channel });
    }
    await one.publish("chat:lobby", 1);
    await one.publish("news:today", 1);
    await here.must("typing", { channel: "chat:lobby", typing: true });
    expect(await here.must("send", { user: "bob", data: 1 })).toEqual({ delivered: 0 });
    await one.call("PUT", "/api/namespaces/chat", { messageMaxBytes: 1 });
    await there.must("publish", { channel: "chat:lobby", data: "two's own" });
    expect(await there.must("presence", { channel: "chat:lobby" })).toMatchObject({ count: 1 });
    const { offset, publications } = await there.must("history", { channel: "chat:lobby" });
    expect([offset, publications[0].data]).toEqual([1, "two's own"]);
    const heard = there.all.filter((frame) => !("id" in frame)).map(({ action }) => action);
    expect(heard.toSorted()).toEqual(["message", "presence", "welcome"]);
    expect(one.gateway.counters.publications).toBe(2);
    expect(two.gateway.counters.publications).toBe(1);

    here.cut();
    const token = await two.token();
    const url = `${two.wsUrl}?token=${token}&session=${here.welcome.session}`;
    expect((await RawClient.connect(url)).welcome.resumed).toBe(false);
    await one.gateway.close();
    await there.settle();
  });
});
