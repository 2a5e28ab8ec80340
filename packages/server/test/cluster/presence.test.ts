import { describe, expect, test } from "bun:test";
import {
  eventually,
  type RawClient,
  type RedisServer,
  startRedis,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";

const channel = "chat:lobby";

async function startNodes(
  redis: RedisServer,
  config: object = {},
): Promise<[TestGateway, TestGateway]> {
  const start = () => startTestGateway({ config: { broker: redis.url, ...config } });
  return await Promise.all([start(), start()]);
}

function toldTo(client: RawClient): string[] {
  return client.all
    .filter((frame) => frame.action === "presence" && !("id" in frame))
    .map(({ data }) => `${data.event} ${data.user?.id} ${data.count}`);
}

describe("protocol section 7 over two nodes", () => {
  test("[PR5] a user is one entry on all nodes, comes with the first connection and goes with the last", async () => {
    await using redis = await startRedis();
    const [one, two] = await startNodes(redis);
    const watcher = await two.connect({ sub: "watcher" });
    await watcher.must("subscribe", { channel });
    const ann = await one.connect({ sub: "ann", name: "Ann" });
    await ann.must("subscribe", { channel });
    await eventually("the join", () => toldTo(watcher).includes("join ann 2"));
    const tab = await two.connect({ sub: "ann", name: "Ann" });
    await tab.must("subscribe", { channel });
    await ann.must("presence", { channel, status: "away" });
    await eventually("the update", () => toldTo(watcher).includes("update ann 2"));
    const expected = {
      channel,
      count: 2,
      connections: 3,
      users: [
        { id: "ann", name: "Ann", status: "away", connections: 2 },
        { id: "watcher", connections: 1 },
      ],
    };
    for (const client of [ann, tab]) {
      expect(await client.must("presence", { channel })).toEqual(expected);
    }
    const page = await one.call("GET", `/api/channels/${channel}/presence`);
    expect(page.body).toEqual(expected);
    // Those of a node are counted as soon as the other one knows of it.
    let channels: { subscribers: number }[] = [];
    await eventually("the subscribers of both nodes", async () => {
      ({ channels } = (await two.call("GET", "/api/channels")).body);
      return channels[0]?.subscribers === 3;
    });
    expect(channels).toMatchObject([{ channel, users: 2, subscribers: 3 }]);
    await ann.must("unsubscribe", { channel });
    await tab.must("unsubscribe", { channel });
    await eventually("the leave", () => toldTo(watcher).includes("leave ann 1"));
    expect(toldTo(watcher)).toEqual([
      "join watcher 1",
      "join ann 2",
      "update ann 2",
      "leave ann 1",
    ]);
    for (const node of [one, two]) await node[Symbol.asyncDispose]();
  });

  test("[PR4] [PR5] P6: users of a node that stops who come to another one do not flap, and those who do not leave", async () => {
    await using redis = await startRedis();
    const [one, two] = await startNodes(redis, {
      presence: { graceMs: 400 },
      cluster: { heartbeatMs: 50 },
    });
    const watcher = await two.connect({ sub: "watcher" });
    await watcher.must("subscribe", { channel });
    for (const sub of ["ann", "bob"]) {
      const client = await one.connect({ sub });
      await client.must("subscribe", { channel });
    }
    await eventually("the joins", () => toldTo(watcher).length === 3);
    await one[Symbol.asyncDispose]();
    const ann = await two.connect({ sub: "ann" });
    await ann.must("subscribe", { channel });
    await eventually("the leave", () => toldTo(watcher).includes("leave bob 2"));
    const events = toldTo(watcher).map((told) => told.slice(0, -2));
    expect(events).toEqual(["join watcher", "join ann", "join bob", "leave bob"]);
    expect(await watcher.must("presence", { channel })).toMatchObject({ count: 2, connections: 2 });
    await two[Symbol.asyncDispose]();
  });

  test("[PR5] P5: while Redis is away joins and leaves go on and reading is `unavailable`; then all is right by itself", async () => {
    await using redis = await startRedis();
    const [one, two] = await startNodes(redis, { redis: { commandTimeoutMs: 1_000 } });
    const watcher = await two.connect({ sub: "watcher" });
    const ann = await one.connect({ sub: "ann" });
    for (const client of [watcher, ann]) await client.must("subscribe", { channel });
    // On a busy machine the second one's join may be in Redis first.
    await eventually("both joins", () => {
      return toldTo(watcher).filter((told) => told.startsWith("join")).length === 2;
    });
    await redis.pause();
    expect((await watcher.refused("presence", { channel })).code).toBe("unavailable");
    const answer = await one.call("GET", `/api/channels/${channel}/presence`);
    expect([answer.status, answer.body.error.code]).toEqual([503, "unavailable"]);
    await ann.must("unsubscribe", { channel });
    redis.resume();
    await eventually("the leave", () => toldTo(watcher).includes("leave ann 1"));
    await eventually(
      "the list",
      async () => (await watcher.ask("presence", { channel })).data.count === 1,
    );
    for (const node of [one, two]) await node[Symbol.asyncDispose]();
  });

  test("faults 6: Redis restarted empty: everyone is there again, and clients are told to read the list anew", async () => {
    await using redis = await startRedis();
    const [one, two] = await startNodes(redis);
    const watcher = await two.connect({ sub: "watcher" });
    const ann = await one.connect({ sub: "ann" });
    for (const client of [watcher, ann]) await client.must("subscribe", { channel });
    await ann.must("presence", { channel, status: "away" });
    await eventually("the status", () =>
      watcher.all.some(({ data }) => data?.user?.id === "ann" && data.user.status === "away"),
    );
    await redis.restart();
    await eventually("the list", async () => {
      const { data } = await watcher.ask("presence", { channel });
      return data.count === 2 && data.users[0].status === "away";
    });
    await eventually("the news", () => toldTo(watcher).includes("many undefined 2"));
    expect(toldTo(watcher).filter((told) => told.startsWith("leave"))).toEqual([]);
    for (const node of [one, two]) await node[Symbol.asyncDispose]();
  });
});
