import { describe, expect, test } from "bun:test";
import { MESSAGE_PACK, openRawSocket, RawClient, startTestGateway } from "@aldis/testkit";

async function directTo(client: RawClient) {
  await client.settle();
  return client.all.filter(({ action }) => action === "message").map(({ data }) => data);
}

describe("protocol section 9: direct messages", () => {
  test("[DM1] to a user: all of their connections within the tenant", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect({ sub: "ann" });
    const tabs = [await gateway.connect({ sub: "bob" }), await gateway.connect({ sub: "bob" })];
    const other = await gateway.connect({ sub: "bobby" });
    const answer = await ann.must("send", { user: "bob", event: "hint", data: { n: 1 } });
    expect(answer).toEqual({ delivered: 2 });
    for (const tab of tabs) {
      expect(await directTo(tab)).toEqual([
        {
          direct: "user",
          at: expect.any(Number),
          event: "hint",
          from: { user: "ann", connection: ann.welcome.connection },
          data: { n: 1 },
        },
      ]);
    }
    expect(await directTo(other)).toBeEmpty();
    expect(await directTo(ann)).toBeEmpty();
  });

  test("[DM1] faults 25: what is short in its codec and long as JSON is as long as JSON has it", async () => {
    await using gateway = await startTestGateway();
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "b" }, MESSAGE_PACK)];
    const data = Array(20_000).fill(false);
    expect(await bob.refused("send", { user: "ann", data })).toMatchObject({ code: "too_large" });
    expect(await bob.must("send", { user: "ann", data: data.slice(10_000) })).toEqual({
      delivered: 1,
    });
    expect(await directTo(ann)).toHaveLength(1);
  });

  test("[DM1] to a connection: that one alone; to oneself too", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect({ sub: "ann" });
    const tabs = [await gateway.connect({ sub: "bob" }), await gateway.connect({ sub: "bob" })];
    const [{ welcome }] = tabs as [(typeof tabs)[number]];
    expect(await ann.must("send", { connection: welcome.connection, data: null })).toEqual({
      delivered: 1,
    });
    const [first, second] = await Promise.all(tabs.map(directTo));
    expect(first).toMatchObject([{ direct: "connection", data: null }]);
    expect(first?.[0]).not.toHaveProperty("event");
    expect(first?.[0]).not.toHaveProperty("channel");
    expect(first?.[0]).not.toHaveProperty("offset");
    expect(second).toBeEmpty();
    expect(await ann.must("send", { user: "ann", data: 1 })).toEqual({ delivered: 1 });
  });

  test("[DM3] an urgent one overtakes what waits for a slow receiver", async () => {
    await using gateway = await startTestGateway({ config: { outbox: { maxBytes: 64 << 20 } } });
    const { port } = gateway.gateway;
    const slow = await openRawSocket(port, `/ws?token=${await gateway.token({ sub: "bob" })}`);
    slow.send("subscribe", { channel: "chat:lobby" }, 1);
    await slow.message("subscribed", ({ id }) => id === 1);
    slow.pause();
    const ann = await gateway.connect();
    const publish = (data: unknown) => gateway.publish("chat:lobby", data);
    // More than the kernel takes for it, on both sides of the loopback.
    for (let n = 0; n < 800; n++) await publish("x".repeat(60_000));
    await ann.must("send", { user: "bob", data: "calm" });
    await ann.must("send", { user: "bob", data: "fire", urgent: true });
    slow.resume();
    await slow.message("the calm one", ({ data }) => data.data === "calm");
    const order = slow.messages().filter(({ action }) => action === "message");
    const at = (what: string) => order.findIndex(({ data }) => data.data === what);
    expect(order.length).toBe(802);
    expect(at("calm")).toBe(801);
    expect(at("fire")).toBeLessThan(800);
    const offsets = order.flatMap(({ data }) => data.offset ?? []);
    expect(offsets).toEqual(Array.from({ length: 800 }, (_, i) => i + 1));
  });

  test("[DM1] live only: who is away gets it neither later nor by resuming", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect({ sub: "ann" });
    const bob = await gateway.connect({ sub: "bob" });
    await bob.must("subscribe", { channel: "chat:a" });
    bob.cut();
    let delivered = 1;
    while (delivered > 0) ({ delivered } = await ann.must("send", { user: "bob", data: 1 }));
    const again = await RawClient.connect(`${gateway.wsUrl}?session=${bob.welcome.session}`);
    expect(again.welcome.resumed).toBe(true);
    expect(await directTo(again)).toBeEmpty();
  });

  test("[DM2] someone who is not there is delivered: 0", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    for (const to of [{ user: "nobody" }, { connection: "nothing" }]) {
      expect(await ann.must("send", { ...to, data: 1 })).toEqual({ delivered: 0 });
    }
  });

  test("[DM2] needs the right `send` on @user:<id> or @connection:<id>", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect({
      capabilities: { "@user:bob": ["send"], "@connection:abc*": ["send"], "user:eve": ["send"] },
    });
    await ann.must("send", { user: "bob", data: 1 });
    await ann.must("send", { connection: "abcdef", data: 1 });
    const there = await gateway.connect({ sub: "eve" });
    for (const to of [
      { user: "eve" },
      { user: "bobby" },
      { connection: there.welcome.connection },
    ]) {
      const there = await ann.refused("send", { ...to, data: 1 });
      expect(there.code).toBe("forbidden");
      expect(there).toEqual(await ann.refused("send", { user: "not-there", data: 1 }));
    }
    const nothing = await gateway.connect({ capabilities: { "*": ["publish"] } });
    expect((await nothing.refused("send", { user: "bob", data: 1 })).code).toBe("forbidden");
  });

  test("[DM2] or direct.allow user, which lets every user with a token", async () => {
    await using gateway = await startTestGateway({ config: { direct: { allow: "user" } } });
    const ann = await gateway.connect({ capabilities: {} });
    const bob = await gateway.connect({ sub: "bob", capabilities: {} });
    expect(await ann.must("send", { user: "bob", data: 1 })).toEqual({ delivered: 1 });
    expect(await directTo(bob)).toHaveLength(1);
  });

  test("[DM1] either a user or a connection, and data", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    for (const data of [
      { data: 1 },
      { user: "bob", connection: "x", data: 1 },
      { user: "bob" },
      { user: "", data: 1 },
      { user: "x".repeat(256), data: 1 },
      { connection: "x".repeat(65), data: 1 },
      { user: 7, data: 1 },
      { user: "bob", event: "x".repeat(129), data: 1 },
    ]) {
      expect((await ann.refused("send", data)).code).toBe("bad_request");
    }
  });
});
