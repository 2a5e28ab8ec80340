import { describe, expect, test } from "bun:test";
import {
  createFakeClock,
  eventually,
  RawClient,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";

const channel = "chat:lobby";

async function pushesTo(client: RawClient) {
  await client.settle();
  return client.all
    .filter((frame) => frame.action === "presence" && !("id" in frame))
    .map(({ data }) => [data.event, data.user?.id, data.count]);
}

async function cut(gateway: TestGateway, client: RawClient): Promise<void> {
  const { counters } = gateway.gateway;
  const closed = counters.connectionsClosed;
  client.cut();
  await eventually("the cut is seen", () => counters.connectionsClosed > closed);
}

describe("protocol section 7: who is there", () => {
  test("[PR1] one entry a user, however many connections, by user id", async () => {
    await using gateway = await startTestGateway();
    const picture = "https://example.com/b.png";
    const bob = await gateway.connect({ sub: "bob", name: "Bob", email: "b@example.com", picture });
    const ann = await gateway.connect({ sub: "ann" });
    const tab = await gateway.connect({ sub: "ann" });
    for (const client of [bob, ann, tab]) await client.must("subscribe", { channel });
    expect(await bob.must("presence", { channel })).toEqual({
      channel,
      count: 2,
      connections: 3,
      users: [
        { id: "ann", connections: 2 },
        { id: "bob", name: "Bob", avatar: picture, connections: 1 },
      ],
    });
    await tab.must("unsubscribe", { channel });
    await ann.must("unsubscribe", { channel });
    expect(await bob.must("presence", { channel })).toMatchObject({ count: 1, connections: 1 });
    expect(await bob.must("presence", { channel: "chat:empty" })).toEqual({
      channel: "chat:empty",
      count: 0,
      connections: 0,
      users: [],
    });
  });

  test("[PR1] pages by user id; limit 0 gives counts alone; a cursor may be of who has gone", async () => {
    await using gateway = await startTestGateway();
    const ids = Array.from({ length: 7 }, (_, i) => `user-${i}`);
    const clients = await Promise.all(ids.map((sub) => gateway.connect({ sub })));
    for (const client of clients.toReversed()) await client.must("subscribe", { channel });
    const reader = await gateway.connect({ sub: "user-0", exp: undefined });
    const read = async (data: object) => {
      const { users, next, count } = await reader.must("presence", { channel, ...data });
      expect(count).toBe(7);
      return [users.map(({ id }: { id: string }) => id), next];
    };
    expect(await read({})).toEqual([ids, undefined]);
    expect(await read({ limit: 0 })).toEqual([[], undefined]);
    expect(await read({ limit: 3 })).toEqual([ids.slice(0, 3), "user-2"]);
    expect(await read({ limit: 3, cursor: "user-2" })).toEqual([ids.slice(3, 6), "user-5"]);
    expect(await read({ limit: 3, cursor: "user-5" })).toEqual([ids.slice(6), undefined]);
    expect(await read({ limit: 7 })).toEqual([ids, undefined]);
    expect(await read({ limit: 1, cursor: "user-3x" })).toEqual([["user-4"], "user-4"]);
    expect(await read({ limit: 1, cursor: "zzz" })).toEqual([[], undefined]);
    for (const data of [
      { limit: -1 },
      { limit: 501 },
      { cursor: "x".repeat(513) },
      { cursor: 1 },
    ]) {
      expect((await reader.refused("presence", { channel, ...data })).code).toBe("bad_request");
    }
  });

  test("[PR1] in a namespace without presence there is none to be had", async () => {
    const config = { namespaces: { quiet: { presence: false } } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    await ann.must("subscribe", { channel: "quiet:a" });
    for (const data of [{}, { status: "here" }]) {
      const error = await ann.refused("presence", { channel: "quiet:a", ...data });
      expect(error.code).toBe("forbidden");
    }
    expect(await pushesTo(ann)).toBeEmpty();
  });

  test("[PR2] status and data are what others see; null clears", async () => {
    await using gateway = await startTestGateway();
    const ann = await gateway.connect();
    const bob = await gateway.connect({ sub: "bob" });
    for (const client of [ann, bob]) await client.must("subscribe", { channel });
    const seen = async () => (await bob.must("presence", { channel })).users[0];
    expect(await ann.must("presence", { channel, status: "away" })).toEqual({ channel });
    expect(await seen()).toEqual({ id: "ann", status: "away", connections: 1 });
    await ann.must("presence", { channel, data: { typing: 3 } });
    expect(await seen()).toEqual({
      id: "ann",
      status: "away",
      data: { typing: 3 },
      connections: 1,
    });
    await ann.must("presence", { channel, status: "back", data: null });
    expect(await seen()).toEqual({ id: "ann", status: "back", connections: 1 });
    await ann.must("presence", { channel, data: false });
    expect(await seen()).toMatchObject({ data: false });
  });

  test("[PR2] by a subscriber, within presence.dataMaxBytes and 64 characters", async () => {
    const config = { presence: { dataMaxBytes: 20 } };
    await using gateway = await startTestGateway({ config });
    const ann = await gateway.connect();
    const set = (data: object) => ann.refused("presence", { channel, ...data });
    expect((await set({ status: "here" })).code).toBe("not_subscribed");
    await ann.must("subscribe", { channel });
    expect((await set({ data: "x".repeat(19) })).code).toBe("too_large");
    expect((await set({ data: "€".repeat(7) })).code).toBe("too_large");
    await ann.must("presence", { channel, data: "x".repeat(18) });
    expect((await set({ status: "x".repeat(65) })).code).toBe("bad_request");
    expect((await set({ status: "" })).code).toBe("bad_request");
    await ann.must("presence", { channel, status: "x".repeat(64) });
  });

  test("[PR3] joins, updates and leaves of users, not of connections", async () => {
    const config = { presence: { pushIntervalMs: 0 } };
    await using gateway = await startTestGateway({ config });
    const watcher = await gateway.connect({ sub: "watcher" });
    await watcher.must("subscribe", { channel });
    const ann = await gateway.connect({ sub: "ann", name: "Ann" });
    const tab = await gateway.connect({ sub: "ann", name: "Ann" });
    await ann.must("subscribe", { channel });
    await tab.must("subscribe", { channel });
    await ann.must("presence", { channel, status: "away" });
    await ann.must("unsubscribe", { channel });
    await tab.must("unsubscribe", { channel });
    expect(await pushesTo(watcher)).toEqual([
      ["join", "watcher", 1],
      ["join", "ann", 2],
      ["update", "ann", 2],
      ["leave", "ann", 1],
    ]);
    const join = watcher.all.find(({ data }) => data.user?.id === "ann");
    expect(join).toEqual({
      action: "presence",
      data: { channel, event: "join", user: { id: "ann", name: "Ann", connections: 1 }, count: 2 },
    });
  });

  test("[PR3] without joinLeave nothing is pushed, and who is there can still be asked", async () => {
    const config = { namespaces: { quiet: { joinLeave: false } } };
    await using gateway = await startTestGateway({ config });
    const [ann, bob] = [await gateway.connect(), await gateway.connect({ sub: "bob" })];
    for (const client of [ann, bob]) await client.must("subscribe", { channel: "quiet:a" });
    await bob.must("presence", { channel: "quiet:a", status: "here" });
    expect(await pushesTo(ann)).toBeEmpty();
    expect((await ann.must("presence", { channel: "quiet:a" })).count).toBe(2);
  });
});

describe("protocol section 7: many who come and go", () => {
  async function startWithTwo() {
    const clock = createFakeClock();
    const config = { presence: { pushIntervalMs: 100, pushMaxUsers: 3 } };
    const gateway = await startTestGateway({ clock, config });
    const watcher = await gateway.connect({ sub: "watcher" });
    const join = async (sub: string) => {
      const client = await gateway.connect({ sub });
      await client.must("subscribe", { channel });
      return client;
    };
    await watcher.must("subscribe", { channel });
    await join("ann");
    const heard = async () => (await pushesTo(watcher)).slice(2);
    return { clock, watcher, join, heard, [Symbol.asyncDispose]: gateway[Symbol.asyncDispose] };
  }

  test("[PR3] the first is told at once, further ones together when the time is over", async () => {
    await using t = await startWithTwo();
    expect(await pushesTo(t.watcher)).toEqual([
      ["join", "watcher", 1],
      ["join", "ann", 2],
    ]);
    const bob = await t.join("bob");
    await bob.must("presence", { channel, status: "away" });
    const eve = await t.join("eve");
    await eve.must("unsubscribe", { channel });
    await t.join("kim");
    expect(await t.heard()).toBeEmpty();
    t.clock.advance(100);
    expect(await t.heard()).toEqual([
      ["join", "bob", 4],
      ["join", "kim", 4],
    ]);
    const told = t.watcher.all.find(({ data }) => data.user?.id === "bob");
    expect(told?.data.user).toEqual({ id: "bob", status: "away", connections: 1 });
  });

  test("[PR3] when too many changed, one push tells to read the list anew", async () => {
    await using t = await startWithTwo();
    for (const sub of ["a", "b", "c", "d"]) await t.join(sub);
    t.clock.advance(100);
    expect(await t.heard()).toEqual([["many", undefined, 6]]);
    expect(t.watcher.all.at(-2)).toEqual({
      action: "presence",
      data: { channel, event: "many", count: 6 },
    });
    expect((await t.watcher.must("presence", { channel })).users).toHaveLength(6);
  });
});

describe("protocol section 7: grace", () => {
  const graceMs = 5_000;

  async function startWithWatcher() {
    const clock = createFakeClock();
    const gateway = await startTestGateway({ clock, config: { presence: { graceMs } } });
    const watcher = await gateway.connect({ sub: "watcher" });
    await watcher.must("subscribe", { channel });
    const count = async () => (await watcher.must("presence", { channel, limit: 0 })).count;
    return { clock, gateway, watcher, count, [Symbol.asyncDispose]: gateway[Symbol.asyncDispose] };
  }

  test("[PR4] a broken connection stays present for graceMs, then its user leaves", async () => {
    await using t = await startWithWatcher();
    const ann = await t.gateway.connect();
    await ann.must("subscribe", { channel });
    await cut(t.gateway, ann);
    t.clock.advance(graceMs - 1);
    expect(await t.count()).toBe(2);
    t.clock.advance(1);
    expect(await t.count()).toBe(1);
    expect(await pushesTo(t.watcher)).toEqual([
      ["join", "watcher", 1],
      ["join", "ann", 2],
      ["leave", "ann", 1],
    ]);
  });

  test("[PR4] back within it, by resuming or by a new connection, nobody hears of it", async () => {
    await using t = await startWithWatcher();
    let ann = await t.gateway.connect();
    await ann.must("subscribe", { channel });
    await ann.must("presence", { channel, status: "busy" });
    for (let round = 0; round < 3; round++) {
      await cut(t.gateway, ann);
      t.clock.advance(graceMs - 1);
      if (round === 1) {
        ann = await t.gateway.connect();
        await ann.must("subscribe", { channel });
      } else {
        ann = await RawClient.connect(`${t.gateway.wsUrl}?session=${ann.welcome.session}`);
      }
    }
    t.clock.advance(10 * graceMs);
    expect((await pushesTo(t.watcher)).map(([event]) => event)).toEqual(["join", "join", "update"]);
    const { users, connections } = await t.watcher.must("presence", { channel });
    expect(users[0]).toEqual({ id: "ann", status: "busy", connections: 1 });
    expect(connections).toBe(2);
  });

  test("[PR4] a new tab takes nothing of it: it comes, goes, the first one is back, nobody hears of it", async () => {
    await using t = await startWithWatcher();
    const ann = await t.gateway.connect();
    await ann.must("subscribe", { channel });
    await cut(t.gateway, ann);
    const tab = await t.gateway.connect();
    await tab.must("subscribe", { channel });
    await tab.must("unsubscribe", { channel });
    t.clock.advance(graceMs - 1);
    await RawClient.connect(`${t.gateway.wsUrl}?session=${ann.welcome.session}`);
    t.clock.advance(10 * graceMs);
    expect(await pushesTo(t.watcher)).toEqual([
      ["join", "watcher", 1],
      ["join", "ann", 2],
    ]);
    expect(await t.watcher.must("presence", { channel })).toMatchObject({ connections: 2 });
  });

  test("[PR4] an unsubscribe, a close by the client and the end of a right count at once", async () => {
    await using t = await startWithWatcher();
    const ann = await t.gateway.connect();
    await ann.must("subscribe", { channel });
    await ann.must("unsubscribe", { channel });
    expect(await t.count()).toBe(1);
    await ann.must("subscribe", { channel });
    await ann.must("refresh", { token: await t.gateway.token({ capabilities: {} }) });
    expect(await t.count()).toBe(1);
    const bob = await t.gateway.connect({ sub: "bob" });
    await bob.must("subscribe", { channel });
    await bob.close(1000);
    await eventually("bob has left", async () => (await t.count()) === 1);
  });

  test("[PR4] two tabs, of which one breaks: no leave, and the count of connections comes right", async () => {
    await using t = await startWithWatcher();
    const [one, two] = [await t.gateway.connect(), await t.gateway.connect()];
    await one.must("subscribe", { channel });
    await two.must("subscribe", { channel });
    await cut(t.gateway, one);
    t.clock.advance(graceMs);
    const { count, connections, users } = await t.watcher.must("presence", { channel });
    expect([count, connections, users[0].connections]).toEqual([2, 2, 1]);
    await cut(t.gateway, two);
    t.clock.advance(graceMs);
    expect(await t.count()).toBe(1);
  });
});
