// What subscribers see when Redis loses what it had, or what it was about to tell.
import { expect, test } from "bun:test";
import {
  eventually,
  type RawClient,
  type RedisServer,
  startRedis,
  startTestGateway,
  type TestGateway,
} from "@aldis/testkit";

const CHANNEL = "chat:lobby";

async function startNodes(redis: RedisServer, positionCheckMs = 200): Promise<TestGateway[]> {
  const config = {
    broker: redis.url,
    channel: { positionCheckMs },
    namespaces: {
      chat: { wildcard: true, history: { size: 1_000 } },
      last: { lastOnSubscribe: 2 },
      bare: { history: { size: 0 } },
    },
  };
  return await Promise.all([1, 2].map(() => startTestGateway({ config })));
}

async function withNodes<T>(
  nodes: TestGateway[],
  run: (one: TestGateway, two: TestGateway) => Promise<T>,
) {
  try {
    return await run(nodes[0] as TestGateway, nodes[1] as TestGateway);
  } finally {
    for (const node of nodes) await node[Symbol.asyncDispose]();
  }
}

/** What a client was told of a channel by pushes, in order. */
function told({ all }: RawClient, channel: string): unknown[] {
  return all
    .filter(({ id, data }) => id === undefined && data.channel === channel)
    .filter(({ action }) => action === "message" || action === "subscribe")
    .map(({ action, data }) => (action === "message" ? data.offset : data));
}

test("[CH4] FLUSHALL under live subscribers: the next publication comes after a push that tells the new epoch", async () => {
  await using redis = await startRedis();
  await withNodes(await startNodes(redis, 60_000), async (one, two) => {
    const ann = await one.connect();
    const { epoch } = await ann.must("subscribe", { channel: CHANNEL });
    for (const n of [1, 2]) await two.publish(CHANNEL, n);
    await eventually("both", () => told(ann, CHANNEL).length === 2);
    await redis.cli("FLUSHALL");
    await two.publish(CHANNEL, 3);
    await eventually("the new epoch", () => told(ann, CHANNEL).length >= 4);
    const [, , push, message] = told(ann, CHANNEL);
    expect(push).toMatchObject({ channel: CHANNEL, recovered: false, offset: 0 });
    expect((push as { epoch: string }).epoch).not.toBe(epoch);
    expect(message).toBe(1);
    expect(one.gateway.counters).toMatchObject({ gapsLost: 1, gapsHealed: 0 });
  });
});

test("[CH4] FLUSHALL, and nobody publishes: the comparison of positions tells it", async () => {
  await using redis = await startRedis();
  await withNodes(await startNodes(redis), async (one, two) => {
    const ann = await one.connect();
    const { epoch } = await ann.must("subscribe", { channel: CHANNEL });
    await two.publish(CHANNEL, 1);
    await redis.cli("FLUSHALL");
    await eventually("the new epoch", () => told(ann, CHANNEL).length >= 2);
    const [, push] = told(ann, CHANNEL) as { epoch: string }[];
    expect(push).toMatchObject({ channel: CHANNEL, recovered: false, offset: 0 });
    const answer = await ann.must("history", { channel: CHANNEL });
    expect([answer.epoch, push?.epoch === epoch]).toEqual([push?.epoch, false]);
  });
});

test("[CH4] [SU3] what is left of the latest comes after the push, where the namespace says so", async () => {
  await using redis = await startRedis();
  await withNodes(await startNodes(redis, 60_000), async (one, two) => {
    const ann = await one.connect();
    await ann.must("subscribe", { channel: "last:a" });
    await two.publish("last:a", 1);
    await eventually("it", () => told(ann, "last:a").length === 1);
    await redis.cli("FLUSHALL");
    for (const n of [1, 2, 3]) await two.publish("last:a", n);
    await eventually("the latest", () => told(ann, "last:a").at(-1) === 3);
    const offsets = told(ann, "last:a").filter((each) => typeof each === "number");
    const [push] = told(ann, "last:a").filter((each) => typeof each === "object");
    const { offset } = push as { offset: number };
    // As many of the three as came before the history was read are "the latest", two of them at most.
    expect(offset).toBeLessThanOrEqual(1);
    expect(offsets.slice(1)).toEqual([1, 2, 3].slice(offset));
  });
});

test("P1: connections to topics that are cut while others publish: everything comes once, in order", async () => {
  await using redis = await startRedis();
  await withNodes(await startNodes(redis), async (one, two) => {
    const ann = await one.connect();
    await ann.must("subscribe", { channel: CHANNEL });
    for (let n = 1; n <= 300; n++) {
      if (n % 60 === 0) await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
      await two.publish(CHANNEL, n);
    }
    await eventually("all of it", () => told(ann, CHANNEL).length >= 300);
    expect(told(ann, CHANNEL)).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
    expect(one.gateway.counters.gapsLost).toBe(0);
  });
});

test("P1: what is lost with the connection and followed by nothing is found", async () => {
  await using redis = await startRedis();
  await withNodes(await startNodes(redis, 60_000), async (one, two) => {
    const ann = await one.connect();
    await ann.must("subscribe", { channel: CHANNEL });
    for (let round = 1; round <= 5; round++) {
      // In one step, so that it is published while nobody hears it.
      await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
      await two.publish(CHANNEL, round);
      await eventually("it", () => told(ann, CHANNEL).length === round);
    }
    expect(told(ann, CHANNEL)).toEqual([1, 2, 3, 4, 5]);
  });
});

test("[CH4] a loss in a channel without history is told", async () => {
  await using redis = await startRedis();
  await withNodes(await startNodes(redis), async (one, two) => {
    const ann = await one.connect();
    await ann.must("subscribe", { channel: "bare:a" });
    for (let n = 1; n <= 200; n++) {
      if (n % 50 === 0) await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
      await two.publish("bare:a", n);
    }
    const standsAt = () => {
      let offset = 0;
      for (const each of told(ann, "bare:a")) {
        if (typeof each === "number") expect(each).toBe(offset + 1);
        offset = typeof each === "number" ? each : (each as { offset: number }).offset;
      }
      return offset;
    };
    await eventually("it to stand at the top", () => standsAt() === 200);
  });
});

test("[SU6] who has a pattern is told that something may be missing when the connection was made anew", async () => {
  await using redis = await startRedis();
  await withNodes(await startNodes(redis, 60_000), async (one, two) => {
    const ann = await one.connect();
    await ann.must("subscribe", { channel: "chat:*" });
    await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
    await eventually("to be told", () => told(ann, "chat:*").length > 0);
    expect(told(ann, "chat:*")[0]).toEqual({ channel: "chat:*", recovered: false });
    await eventually("it to hear again", async () => {
      await two.publish("chat:a", 1);
      return told(ann, "chat:a").length > 0;
    });
  });
});
