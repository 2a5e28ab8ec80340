import { expect, test } from "bun:test";
import { eventually, startRedis } from "@aldis/testkit";
import { HEARTBEAT_MS, idsOf, LEASE_MS, startNode } from "../test/redis-node.ts";

/** One more than it takes: the first look only begins to count. */
const BEATS_OF_A_LEASE = LEASE_MS / HEARTBEAT_MS + 1;

test("nodes see each other, and what each tells of itself", async () => {
  await using redis = await startRedis();
  await using a = await startNode("a", redis.url);
  await using b = await startNode("b", redis.url);
  await a.beat();
  expect([idsOf(a), idsOf(b)]).toEqual(["a b", "a b"]);
  expect([a.told, b.told]).toEqual([["joined b"], ["joined a"]]);
  expect(a.registry.joined).toBe(true);
  b.registry.startDraining();
  await b.beat();
  await a.beat();
  const [, seen] = a.registry.nodes();
  expect(seen).toMatchObject({ id: "b", name: "b", draining: true, connections: 1, capacity: 10 });
});

test("faults 3: a node that is silent for its lease is dead, and cleared by one of the others", async () => {
  await using redis = await startRedis();
  await using a = await startNode("a", redis.url);
  await using b = await startNode("b", redis.url);
  await using c = await startNode("c", redis.url);
  for (let i = 0; i < BEATS_OF_A_LEASE; i++) await Promise.all([a.beat(), b.beat()]);
  await eventually("c to be dead", () => idsOf(a) === "a b" || idsOf(b) === "a b");
  await Promise.all([a.beat(), b.beat()]);
  expect([idsOf(a), idsOf(b)]).toEqual(["a b", "a b"]);
  const reaps = [...a.told, ...b.told].filter((what) => what === "reap c");
  expect(reaps).toEqual(["reap c"]);
  expect([a.told, b.told].map((told) => told.includes("left c dead"))).toEqual([true, true]);
  expect(a.counters.nodesReaped + b.counters.nodesReaped).toBe(1);
  // It had only slept.
  await eventually("the grave to be cleared", async () => (await graves(redis)) === "");
  await c.beat();
  expect(c.told).toContain("lost lease");
  await a.beat();
  expect(idsOf(a)).toBe("a b c");
});

test("who wakes while its things are being removed waits until that is over", async () => {
  await using redis = await startRedis();
  let clear = () => {};
  const cleared = new Promise<void>((resolve) => {
    clear = resolve;
  });
  await using a = await startNode("a", redis.url, { onReap: () => cleared });
  await using b = await startNode("b", redis.url);
  await a.beat(BEATS_OF_A_LEASE);
  await eventually("the clearing", () => a.told.includes("reap b"));
  await b.beat(2);
  expect(b.registry.joined).toBe(false);
  expect(b.told).not.toContain("lost lease");
  clear();
  await eventually("the grave to be cleared", async () => (await graves(redis)) === "");
  await b.beat();
  expect(b.registry.joined).toBe(true);
  expect(b.told.filter((what) => what === "lost lease")).toHaveLength(1);
  await b.beat();
  expect(b.told.filter((what) => what === "lost lease")).toHaveLength(1);
});

test("what could not be cleared is tried again", async () => {
  await using redis = await startRedis();
  let tries = 0;
  const onReap = () => {
    tries++;
    if (tries < 3) throw new Error("another shard is away");
  };
  await using a = await startNode("a", redis.url, { onReap });
  await using _b = await startNode("b", redis.url);
  await a.beat(BEATS_OF_A_LEASE + 5);
  await eventually("the grave to be cleared", async () => (await graves(redis)) === "");
  expect(tries).toBe(3);
});

test("who clears may die over it: another one takes it over", async () => {
  await using redis = await startRedis();
  await using a = await startNode("a", redis.url, { onReap: () => new Promise(() => {}) });
  await using b = await startNode("b", redis.url);
  const c = await startNode("c", redis.url);
  await c.beat();
  // Only `a` looks, so that it is the one who buries `c`; then it is silent itself.
  for (let i = 0; i < BEATS_OF_A_LEASE - 1; i++) await Promise.all([a.beat(), b.beat()]);
  await a.beat(2);
  await eventually("a to clear", () => a.told.includes("reap c"));
  await b.beat(BEATS_OF_A_LEASE + 3);
  await eventually("b to clear both", () => b.told.includes("reap a") && b.told.includes("reap c"));
  await eventually("the graves to be cleared", async () => (await graves(redis)) === "");
  await c[Symbol.asyncDispose]();
});

test("P6: what a node leaves behind with its goodbye is cleared after the grace time", async () => {
  await using redis = await startRedis();
  await using a = await startNode("a", redis.url);
  const b = await startNode("b", redis.url);
  await a.beat();
  await b[Symbol.asyncDispose]();
  await a.beat(2);
  expect(a.told).toEqual(["joined b", "left b stopped"]);
  await a.beat(6);
  await eventually("the clearing", () => a.told.includes("reap b"));
  await eventually("the grave to be cleared", async () => (await graves(redis)) === "");
});

test("faults 5: while Redis stands still nobody dies, however long that is", async () => {
  await using redis = await startRedis();
  await using a = await startNode("a", redis.url, { commandTimeoutMs: 20 });
  await using b = await startNode("b", redis.url, { commandTimeoutMs: 20 });
  await a.beat();
  await redis.pause();
  for (let i = 0; i < 2 * BEATS_OF_A_LEASE; i++) await Promise.all([a.beat(), b.beat()]);
  expect(a.counters.heartbeatsFailed).toBeGreaterThan(BEATS_OF_A_LEASE);
  redis.resume();
  await eventually("both to be back", async () => {
    const failed = a.counters.heartbeatsFailed + b.counters.heartbeatsFailed;
    await Promise.all([a.beat(), b.beat()]);
    return a.counters.heartbeatsFailed + b.counters.heartbeatsFailed === failed;
  });
  for (let i = 0; i < 3; i++) await Promise.all([a.beat(), b.beat()]);
  expect([idsOf(a), idsOf(b)]).toEqual(["a b", "a b"]);
  expect([a.told, b.told]).toEqual([["joined b"], ["joined a"]]);
});

test("faults 6: an empty Redis is told once to everyone, and nobody dies of it", async () => {
  await using redis = await startRedis();
  await using a = await startNode("a", redis.url);
  await using b = await startNode("b", redis.url);
  await a.beat();
  await redis.cli("FLUSHALL");
  await a.beat(3);
  expect(idsOf(a)).toBe("a b");
  await b.beat(2);
  await a.beat();
  expect([a.told, b.told]).toEqual([
    ["joined b", "new"],
    ["joined a", "new"],
  ]);
});

test("a node that an emptied Redis has forgotten, and that does not come back, leaves", async () => {
  await using redis = await startRedis();
  await using a = await startNode("a", redis.url);
  await using _b = await startNode("b", redis.url);
  await a.beat();
  await redis.cli("FLUSHALL");
  await a.beat(BEATS_OF_A_LEASE + 3);
  expect(a.told).toEqual(["joined b", "new", "left b dead"]);
});

test("faults 6: every shard is watched, not only the one that knows the nodes", async () => {
  await using one = await startRedis();
  await using two = await startRedis();
  await using a = await startNode("a", [one.url, two.url]);
  await eventually("the mark", async () => (await two.cli("KEYS", "*")) !== "");
  await two.cli("FLUSHALL");
  await a.beat();
  await eventually("the news", () => a.told.includes("new"));
});

test("faults 36: nodes of a later version, and what is broken in Redis, are lived with", async () => {
  await using redis = await startRedis();
  await using a = await startNode("a", redis.url);
  await redis.cli("HSET", "aldis:{0}:nodes", "z", '{"v":9,"name":["z"],"mood":"good"}');
  await redis.cli("HSET", "aldis:{0}:beats", "z", "1", "y", "not a number");
  await a.beat();
  expect(idsOf(a)).toBe("a y z");
  expect(a.registry.nodes()[2]).toMatchObject({ id: "z", version: "unknown", connections: 0 });
});

async function graves(redis: { cli(...args: string[]): Promise<string> }): Promise<string> {
  return await redis.cli("HGETALL", "aldis:{0}:graves");
}
