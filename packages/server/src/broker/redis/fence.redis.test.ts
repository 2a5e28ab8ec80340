import { expect, test } from "bun:test";
import type { StreamPosition } from "@aldis/protocol";
import {
  createSeededRandom,
  eventually,
  type RedisServer,
  startRedis,
  startTcpProxy,
} from "@aldis/testkit";
import { configSchema } from "../../config/schema.ts";
import { createCounters } from "../../observe/counters.ts";
import { openShards } from "../../redis/shards.ts";
import { systemClock } from "../../time/clock.ts";
import { draft, KEEP, key } from "../broker.contract.ts";
import { RedisBroker } from "./redis-broker.ts";

const LOBBY = key("chat:lobby");

/** A node's broker, with what it has delivered and which channels it has doubts about. */
function openNode(url: string, seed: number) {
  const shards = openShards(configSchema.parse({ broker: url }));
  if (shards === undefined) throw new Error("a broker was configured");
  const { shard } = shards.home;
  const counters = createCounters();
  const heard: StreamPosition[] = [];
  let doubts = 0;
  const broker = new RedisBroker(
    {
      ...{ shards, clock: systemClock, counters, random: createSeededRandom(seed) },
      deliver: (_, { offset }, epoch) => heard.push({ offset, epoch }),
      onDoubt: (concerned) => {
        if (concerned(LOBBY)) doubts++;
      },
    },
    { commandTimeoutMs: 1_000, idempotencyMs: 60_000, streamIdleMs: 60_000 },
  );
  return {
    ...{ broker, counters, heard },
    get doubts() {
      return doubts;
    },
    /** As the canary does it, each second. */
    probe: () => broker.probe(shard, 0, { topic: "aldis:{0}:canary:test", body: "x" }),
    /** Publishes as often as it takes. */
    publish: async (n: number) =>
      await eventually("a publish", async () => {
        try {
          return await broker.publish(LOBBY, draft({ n }), KEEP);
        } catch {
          return undefined;
        }
      }),
    async [Symbol.asyncDispose]() {
      broker.close();
      await shards.close();
    },
  };
}

async function publishSome(node: ReturnType<typeof openNode>, count: number) {
  let last = await node.publish(0);
  for (let n = 1; n < count; n++) last = await node.publish(n);
  return last;
}

/** No two publications may stand at one offset of one epoch. */
function expectNoneTwice(before: StreamPosition, after: StreamPosition): void {
  if (after.epoch === before.epoch) expect(after.offset).toBeGreaterThan(before.offset);
}

test("faults 6: a server restarted from an older state gives no offset twice, and those who knew better are told", async () => {
  await using redis = await startRedis();
  await using node = openNode(redis.url, 1);
  await node.broker.subscribe({ key: LOBBY });
  await node.probe();
  await publishSome(node, 3);
  await redis.cli("SAVE");
  const before = await publishSome(node, 4);
  expect(before.offset).toBe(7);
  await redis.restart();
  const after = await node.publish(7);
  expectNoneTwice(before, after);
  expect(after.epoch).not.toBe(before.epoch);
  expect((await node.broker.recover(LOBBY, before, KEEP)).recovered).toBe(false);
  expect(node.counters.epochsRenewed).toBe(1);
  expect(node.doubts).toBeGreaterThan(1);
});

test("faults 6: what nobody lost stays as it is over a restart", async () => {
  await using redis = await startRedis({ persist: true });
  await using node = openNode(redis.url, 1);
  await node.probe();
  const before = await publishSome(node, 5);
  await redis.restart();
  const after = await node.publish(5);
  expect(after).toMatchObject({ epoch: before.epoch, offset: before.offset + 1 });
  const recovery = await node.broker.recover(LOBBY, { ...before, offset: 2 }, KEEP);
  expect([recovery.recovered, recovery.publications.length]).toEqual([true, 4]);
});

test("faults 6: a server that comes back with a state that no node can vouch for starts all channels anew", async () => {
  await using redis = await startRedis();
  const before = await (async () => {
    await using node = openNode(redis.url, 1);
    await node.probe();
    await publishSome(node, 3);
    await redis.cli("SAVE");
    return await publishSome(node, 4);
  })();
  await redis.restart();
  await using other = openNode(redis.url, 2);
  const after = await other.publish(0);
  expectNoneTwice(before, after);
  expect((await other.broker.recover(LOBBY, before, KEEP)).recovered).toBe(false);
});

test("faults 7: a replica that lacks acknowledged publications takes over: no offset is given twice", async () => {
  await using master = await startRedis({ args: ["--repl-diskless-sync-delay", "0"] });
  await using link = await startTcpProxy(master.port);
  await using replica = await startRedis({ args: ["--replicaof", `127.0.0.1 ${link.port}`] });
  let serving: RedisServer = master;
  await using door = await startTcpProxy(() => serving.port);
  const url = `redis://127.0.0.1:${door.port}`;
  await using one = openNode(url, 1);
  await using two = openNode(url, 2);
  for (const node of [one, two]) {
    await node.broker.subscribe({ key: LOBBY });
    await node.probe();
  }
  const early = await publishSome(one, 3);
  await eventually("the replica to have it", async () => {
    return (await replica.cli("HGET", `aldis:{0}:meta:${LOBBY}`, "o")) === `${early.offset}`;
  });
  link.frozen = true;
  const before = await publishSome(one, 4);
  await eventually("the other node to hear", () => two.heard.length === 7);
  await master.stop();
  await replica.cli("REPLICAOF", "NO", "ONE");
  serving = replica;
  door.cut();
  const after = await two.publish(9);
  expectNoneTwice(before, after);
  expect(after.epoch).not.toBe(before.epoch);
  await eventually("both to know", async () => {
    await one.probe().catch(() => {});
    return one.doubts > 0 && two.doubts > 0;
  });
});

test("faults 35: a full server acknowledges nothing that it does not hold, and goes on when there is room", async () => {
  await using redis = await startRedis({ args: ["--maxmemory-policy", "noeviction"] });
  await using node = openNode(redis.url, 1);
  const before = await publishSome(node, 3);
  await redis.cli("CONFIG", "SET", "maxmemory", "1");
  const refused = node.broker.publish(LOBBY, draft({ n: 9 }), KEEP);
  expect(Promise.resolve(refused)).rejects.toThrow(/OOM/);
  await Promise.allSettled([refused]);
  await redis.cli("CONFIG", "SET", "maxmemory", "0");
  expect(await node.publish(4)).toMatchObject({ epoch: before.epoch, offset: 4 });
  expect(
    (await node.broker.recover(LOBBY, { ...before, offset: 0 }, KEEP)).publications.length,
  ).toBe(4);
});

test("faults 35: a stream or position that was evicted is told", async () => {
  await using redis = await startRedis();
  await using node = openNode(redis.url, 1);
  const before = await publishSome(node, 3);
  await redis.cli("DEL", `aldis:{0}:stream:${LOBBY}`);
  const since = { ...before, offset: 1 };
  expect(await node.broker.recover(LOBBY, since, KEEP)).toMatchObject({
    recovered: false,
    top: { offset: 3, epoch: before.epoch },
  });
  const next = await node.publish(3);
  expect(next).toMatchObject({ epoch: before.epoch, offset: 4 });
  await redis.cli("DEL", `aldis:{0}:meta:${LOBBY}`);
  const lost = await node.broker.recover(LOBBY, next, KEEP);
  expect([lost.recovered, lost.top.epoch === before.epoch]).toEqual([false, false]);
  expect(await node.publish(4)).toMatchObject({ epoch: lost.top.epoch, offset: 1 });
  const { publications } = await node.broker.history(LOBBY, HISTORY, KEEP);
  expect(publications.map(({ offset }) => offset)).toEqual([1]);
});

const HISTORY = { limit: 50, before: undefined, after: undefined };
