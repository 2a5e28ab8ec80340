import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { createFakeClock, eventually, type RedisServer, startRedis } from "@aldis/testkit";
import { key, tenant } from "../../broker/broker.contract.ts";
import { attendant, BROKEN, brief, channel, GONE, user } from "../test/bench.ts";
import { TestNode } from "./test/nodes.ts";

const ALL = { limit: 500, cursor: undefined };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());
beforeEach(async () => {
  await redis.cli("FLUSHALL");
});

async function twoNodes(options: ConstructorParameters<typeof TestNode>[2] = {}) {
  const clock = createFakeClock();
  const nodes = ["a", "b"].map((name) => new TestNode(name, redis.url, { clock, ...options }));
  const [a, b] = nodes as [TestNode, TestNode];
  for (const node of nodes) await node.observe();
  return {
    ...{ a, b, clock },
    read: () => b.presence.read(tenant("default"), channel, ALL),
    async settle() {
      for (const node of nodes) await node.written();
      for (const node of nodes) await node.hear();
    },
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
}

const join = (node: TestNode, who: string, connection: string) =>
  node.presence.join(attendant(who, connection), channel);

test("[PR5] faults 1: the users of a node that has died leave, those who are on another one too do not", async () => {
  await using bench = await twoNodes();
  const { a, b } = bench;
  join(a, "ann", "c1");
  join(a, "bob", "c2");
  await bench.settle();
  join(b, "bob", "c3");
  await bench.settle();
  b.heard();
  await a.die();
  await b.reap("a");
  await b.hear();
  expect(b.heard().map(brief)).toEqual(["leave ann 1"]);
  await Promise.all([b.reap("a"), b.reap("a")]);
  await b.hear();
  expect(b.heard()).toEqual([]);
  expect(await bench.read()).toEqual({
    channel,
    count: 1,
    connections: 1,
    users: [user("bob", 1)],
  });
  expect(b.counters.presenceRowsRemoved).toBe(2);
  expect(await redis.cli("EXISTS", "aldis:{0}:presence-rows:a#1")).toBe("0");
});

test("[PR3] a dead node's many users are told by one word a step, and two who remove them do it once", async () => {
  await using bench = await twoNodes({ pushMaxUsers: 20 });
  const { a, b } = bench;
  for (let n = 0; n < 250; n++) join(a, `user ${n}`, `c${n}`);
  await bench.settle();
  b.heard();
  await a.die();
  await Promise.all([b.reap("a"), b.reap("a")]);
  await b.hear();
  expect(new Set(b.heard().map(({ event }) => event))).toEqual(new Set(["many"]));
  expect(await bench.read()).toMatchObject({ count: 0, connections: 0 });
  expect(b.counters.presenceRowsRemoved).toBe(250);
});

test.each(["unsent", "unanswered"] as const)(
  "faults 5: what Redis was told, or not, without an answer (%s) is told again and counts once",
  async (weather) => {
    await using bench = await twoNodes();
    const { a, b } = bench;
    a.weather = weather;
    join(a, "ann", "c1");
    join(a, "bob", "c2");
    await expect(a.presence.counts(tenant("default"), [channel])).rejects.toThrow();
    a.presence.leave(attendant("bob", "c2"), channel, GONE);
    join(a, "ann", "c3");
    a.weather = "fine";
    await bench.settle();
    expect(await bench.read()).toMatchObject({ count: 1, connections: 2 });
    const told =
      weather === "unsent" ? ["join ann 1"] : ["join ann 2", "join bob 2", "leave bob 1"];
    expect(b.heard().map(brief)).toEqual(told);
    expect(a.counters.presenceRebuilds).toBe(0);
  },
);

test("faults 5: a batch that lay in a buffer while Redis hung undoes nothing that came before it, and what it adds is found", async () => {
  await using bench = await twoNodes();
  const { a, b, clock } = bench;
  a.weather = "late";
  join(a, "ann", "c1");
  await expect(a.presence.counts(tenant("default"), [channel])).rejects.toThrow();
  a.weather = "fine";
  a.presence.leave(attendant("ann", "c1"), channel, GONE);
  join(a, "bob", "c2");
  await bench.settle();
  await a.arrive();
  expect(await bench.read()).toMatchObject({ count: 1, connections: 1 });
  // In the life before, which nobody remembers.
  await b.reap("a");
  await a.arrive();
  a.weather = "late";
  join(a, "eve", "c3");
  await expect(a.presence.counts(tenant("default"), [channel])).rejects.toThrow();
  a.weather = "fine";
  await bench.settle();
  await redis.cli("HSET", "aldis:{0}:presence-holders", "a#1", "1");
  await a.arrive();
  await eventually("the list", async () => {
    clock.advance(5_000);
    await a.written();
    return (await bench.read()).connections === 2;
  });
});

test("[PR2] looks whose answer was lost do not come back over later ones of another node", async () => {
  await using bench = await twoNodes();
  const { a, b } = bench;
  join(a, "ann", "c1");
  join(b, "ann", "c2");
  await bench.settle();
  a.weather = "unanswered";
  a.presence.update(attendant("ann", "c1"), channel, { status: "early", data: undefined });
  await expect(a.presence.counts(tenant("default"), [channel])).rejects.toThrow();
  b.presence.update(attendant("ann", "c2"), channel, { status: "late", data: undefined });
  await b.written();
  a.weather = "fine";
  await bench.settle();
  expect((await bench.read()).users).toEqual([user("ann", 2, { status: "late" })]);
});

test("faults 6: an emptied Redis is told everything again, with the looks that were set last, and nobody is said to leave", async () => {
  await using bench = await twoNodes();
  const { a, b } = bench;
  join(a, "ann", "c1");
  join(b, "ann", "c2");
  join(b, "bob", "c3");
  a.presence.update(attendant("ann", "c1"), channel, { status: "first", data: { n: 1 } });
  await bench.settle();
  b.presence.update(attendant("ann", "c2"), channel, { status: "last", data: undefined });
  await bench.settle();
  const before = await bench.read();
  expect(before.users).toEqual([
    user("ann", 2, { status: "last", data: { n: 1 } }),
    user("bob", 1),
  ]);
  for (const node of [a, b]) node.heard();
  await redis.cli("FLUSHALL");
  for (const node of [a, b]) node.redisIsNew();
  await eventually("both to write anew", async () => {
    await bench.settle();
    return (await bench.read()).connections === 3;
  });
  expect(await bench.read()).toEqual(before);
  await bench.settle();
  expect(new Set(a.heard().map(({ event }) => event))).toEqual(new Set(["many"]));
  expect([a.counters.presenceRebuilds, b.counters.presenceRebuilds]).toEqual([1, 1]);
});

test("faults 4: a node that slept and was removed writes its rows again when it wakes", async () => {
  await using bench = await twoNodes();
  const { a, b, clock } = bench;
  join(a, "ann", "c1");
  await bench.settle();
  await b.reap("a");
  await b.hear();
  expect((await bench.read()).count).toBe(0);
  a.lostLease();
  await eventually("it to be back", async () => {
    clock.advance(1);
    return (await bench.read()).count === 1;
  });
  await bench.settle();
  expect(b.heard().map(brief)).toEqual(["join ann 1", "leave ann 0", "many 1"]);
  expect(await bench.read()).toMatchObject({ connections: 1 });
});

test("faults 9: a removed node that does not know of it finds it with its next change, and a lost row with its next look", async () => {
  await using bench = await twoNodes();
  const { a, b, clock } = bench;
  join(a, "ann", "c1");
  await bench.settle();
  await b.reap("a");
  join(a, "bob", "c2");
  await eventually("both", async () => {
    await a.written();
    return (await bench.read()).count === 2;
  });
  await redis.cli("ZPOPMIN", "aldis:{0}:presence-rows:a#2");
  clock.advance(5_000);
  await eventually("both again", async () => {
    clock.advance(1);
    await a.written();
    return (await redis.cli("HKEYS", "aldis:{0}:presence-holders")) === "a#3";
  });
  expect(await bench.read()).toMatchObject({ count: 2, connections: 2 });
  expect(a.counters.presenceRebuilds).toBe(2);
});

test("a user whose entry is broken is written anew, and holds up nobody", async () => {
  await using bench = await twoNodes();
  const { a } = bench;
  join(a, "ann", "c1");
  await bench.settle();
  await redis.cli("HSET", `aldis:{0}:presence:${key("chat:a")}`, "ann", "nonsense");
  join(a, "ann", "c2");
  join(a, "bob", "c3");
  await bench.settle();
  expect((await bench.read()).users).toEqual([user("ann", 2), user("bob", 1)]);
});

test("P3: what comes and goes while Redis is away does not pile up", async () => {
  await using bench = await twoNodes();
  const { a } = bench;
  join(a, "ann", "c0");
  a.weather = "unsent";
  for (let n = 0; n < 10_050; n++) {
    join(a, `user ${n}`, `c${n}`);
    a.presence.leave(attendant(`user ${n}`, `c${n}`), channel, GONE);
  }
  await expect(a.presence.counts(tenant("default"), [channel])).rejects.toThrow();
  expect(a.counters.presenceRebuilds).toBe(1);
  a.weather = "fine";
  await bench.settle();
  expect(await bench.read()).toMatchObject({ count: 1, connections: 1 });
});

test("rows that nobody remembers are removed after a minute, and not those of a node that lives", async () => {
  await using bench = await twoNodes();
  const { a, b, clock } = bench;
  join(a, "ann", "c1");
  join(b, "bob", "c2");
  await bench.settle();
  await a.die();
  const passes = async () => {
    clock.advance(5_000);
    await b.written();
  };
  for (let s = 0; s < 65; s += 5) await passes();
  expect((await bench.read()).count).toBe(2);
  b.dead.add("a");
  await eventually("the removal", async () => {
    await passes();
    return (await bench.read()).count === 1;
  });
});

test("faults 36: a signal of another version is passed over and counted, and a broken one", async () => {
  await using bench = await twoNodes();
  const { a, b } = bench;
  const topic = `aldis:{0}:topic:${key("chat:a")}`;
  const bodies = ['{"v":2,"count":1}', "{", "[]", '{"v":1,"count":1,"users":{}}'];
  for (const body of bodies) await redis.cli("PUBLISH", topic, `spresence ${body}`);
  await redis.cli("PUBLISH", topic, 'spresence {"v":1,"count":1,"users":[["jump","x",1],7]}');
  await a.hear();
  await b.hear();
  expect([a.counters.presenceSignalsIgnored, a.counters.presenceSignals]).toEqual([4, 1]);
  expect(a.heard()).toEqual([]);
});

test("[PR4] a node that stops writes who has gone, and leaves the others their grace time", async () => {
  await using bench = await twoNodes();
  const { a } = bench;
  join(a, "ann", "c1");
  join(a, "bob", "c2");
  await bench.settle();
  a.presence.leave(attendant("ann", "c1"), channel, BROKEN);
  a.presence.leave(attendant("bob", "c2"), channel, GONE);
  await a.presence.close();
  expect(await bench.read()).toEqual({
    channel,
    count: 1,
    connections: 1,
    users: [user("ann", 1)],
  });
});
