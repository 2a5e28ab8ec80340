import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { eventually, type RedisServer, startRedis } from "@aldis/testkit";
import { nodeBusContract } from "../node-bus.contract.ts";
import { startNode } from "../test/redis-node.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
// The nodes of all tests have the same few names, which nodes never have.
beforeEach(() => redis.cli("FLUSHALL"));
afterAll(() => redis[Symbol.asyncDispose]());

nodeBusContract("over Redis", async () => {
  const node = await startNode("self", redis.url);
  return { ...node, bus: node.bus, self: "self" };
});

test("messages go to one node or to all others, and tell who sent them", async () => {
  await using a = await startNode("a", redis.url);
  await using b = await startNode("b", redis.url);
  await using c = await startNode("c", redis.url);
  await a.beat();
  const heard: unknown[] = [];
  for (const [name, { bus }] of Object.entries({ a, b, c })) {
    bus.on("note", (body, from) => heard.push([name, body, from]));
    bus.on("who", () => name);
  }
  a.bus.broadcast("note", 1);
  await eventually("both to hear", () => heard.length === 2);
  a.bus.send("b", "note", 2);
  await eventually("the other one", () => heard.length === 3);
  expect(heard.toSorted()).toEqual([
    ["b", 1, "a"],
    ["b", 2, "a"],
    ["c", 1, "a"],
  ]);
  expect(await a.bus.request("c", "who", undefined)).toEqual({ ok: true, body: "c" });
});

test("what a node sends another comes in order", async () => {
  await using a = await startNode("a", redis.url);
  await using b = await startNode("b", redis.url);
  const heard: unknown[] = [];
  b.bus.on("n", (n) => heard.push(n));
  for (let n = 0; n < 500; n++) a.bus.send("b", "n", n);
  await eventually("all", () => heard.length === 500);
  expect(heard).toEqual(Array.from({ length: 500 }, (_, n) => n));
});

test("P3: who does not answer costs its time and no more; too many wait for nobody", async () => {
  await using a = await startNode("a", redis.url, { requestsMax: 2 });
  await using b = await startNode("b", redis.url);
  await a.beat();
  b.bus.on("never", () => new Promise(() => {}));
  const asked = [1, 2, 3].map((n) => a.bus.request("b", "never", n));
  expect(await asked[2]).toEqual({ ok: false, cause: "busy" });
  a.clock.advance(1_000);
  expect(await Promise.all(asked.slice(0, 2))).toEqual([
    { ok: false, cause: "timeout" },
    { ok: false, cause: "timeout" },
  ]);
  expect(a.counters.busRequestsTimedOut).toBe(2);
});

test("P5: who has just left a request unanswered is told more, but not waited for again until it is heard of", async () => {
  await using a = await startNode("a", redis.url);
  await using b = await startNode("b", redis.url);
  await a.beat();
  b.bus.on("never", () => new Promise(() => {}));
  const heard: unknown[] = [];
  b.bus.on("ping", () => "pong");
  b.bus.on("note", (body) => {
    heard.push(body);
    return new Promise(() => {});
  });
  const asked = a.bus.request("b", "never", 1);
  a.clock.advance(1_000);
  const late = { ok: false, cause: "timeout" } as const;
  expect(await asked).toEqual(late);
  expect(await a.bus.request("b", "note", "for whoever is there")).toEqual(late);
  await eventually("it to hear what nobody waits for", () => heard.length === 1);
  b.bus.send("a", "hello", 1);
  await eventually("the message", () => a.counters.busMessagesReceived === 1);
  expect(await a.bus.request("b", "ping", 1)).toEqual({ ok: true, body: "pong" });
});

test("a request to a node that leaves does not wait for its time", async () => {
  await using a = await startNode("a", redis.url);
  const b = await startNode("b", redis.url);
  await a.beat();
  b.bus.on("never", () => new Promise(() => {}));
  const asked = a.bus.request("b", "never", 1);
  await b[Symbol.asyncDispose]();
  // Long before the second is over.
  a.registry.startDraining();
  await eventually("b to have left", () => a.told.includes("left b stopped"));
  expect(await asked).toEqual({ ok: false, cause: "gone" });
});

test("faults 5: while Redis hangs requests fail, the first after its time and the next at once, and then work again", async () => {
  await using own = await startRedis();
  await using a = await startNode("a", own.url, { commandTimeoutMs: 250 });
  await using b = await startNode("b", own.url, { commandTimeoutMs: 250 });
  await a.beat();
  b.bus.on("ping", () => "pong");
  await own.pause();
  const unsent = { ok: false, cause: "unsent" } as const;
  expect(await a.bus.request("b", "ping", 1)).toEqual(unsent);
  const sent = a.counters.busMessagesSent;
  expect(await a.bus.request("b", "ping", 1)).toEqual(unsent);
  expect(a.counters.busMessagesSent).toBe(sent);
  own.resume();
  await eventually("an answer", async () => {
    a.clock.advance(1_000);
    const answer = a.bus.request("b", "ping", 1);
    await eventually("it to be heard, or not sent", async () => {
      const settled = await Promise.race([answer, Bun.sleep(5)]);
      if (settled === undefined) a.clock.advance(100);
      return settled !== undefined;
    });
    return (await answer).ok;
  });
});

test("what is broken, or of a later version, harms nobody and is counted", async () => {
  await using a = await startNode("a", redis.url);
  await using b = await startNode("b", redis.url);
  await a.beat();
  await b.beat();
  const heard: unknown[] = [];
  b.bus.on("note", (body) => heard.push(body));
  const broken = [
    "",
    "nothing",
    "[]",
    "null",
    '{"t":"say"}',
    '{"v":1,"t":"shout","k":"note","f":"a","i":0,"b":1}',
    '{"v":1,"t":"say","k":"note","f":7,"i":0,"b":1}',
    '{"v":1,"t":"say","k":"note","f":"a","i":"x","b":1}',
    '{"__proto__":{"t":"say","k":"note","f":"a","i":0},"b":1}',
  ];
  for (const text of broken) await redis.cli("PUBLISH", "aldis:{0}:bus:b", text);
  await redis.cli("PUBLISH", "aldis:{0}:bus:b", '{"v":1,"t":"answer","k":"x","f":"a","i":9,"b":1}');
  await redis.cli("PUBLISH", "aldis:{0}:bus:b", '{"v":1,"t":"say","k":"new","f":"a","i":0,"b":1}');
  const later =
    '{"v":9,"t":"say","k":"note","f":"a","i":0,"b":{"__proto__":{"x":1}},"mood":"good"}';
  await redis.cli("PUBLISH", "aldis:{0}:bus:b", later);
  await eventually("the readable one", () => heard.length === 1);
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  expect({ ...b.counters.busIgnored }).toEqual({ malformed: broken.length, late: 1, unknown: 1 });
  expect(await a.bus.request("b", "of a later version", 1)).toEqual({
    ok: false,
    cause: "unknown",
  });
});

test("an answer counts from the node that was asked alone", async () => {
  await using a = await startNode("a", redis.url);
  await using b = await startNode("b", redis.url);
  await a.beat();
  let answer = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  b.bus.on("slow", () => asked.then(() => "right"));
  const answered = a.bus.request("b", "slow", 1);
  const forged = '{"v":1,"t":"answer","k":"slow","f":"c","i":1,"b":"wrong"}';
  await redis.cli("PUBLISH", "aldis:{0}:bus:a", forged);
  await eventually("the forged one", () => a.counters.busIgnored["late"] === 1);
  answer();
  expect(await answered).toEqual({ ok: true, body: "right" });
});

test("what is too large, or cannot be said, is not sent", async () => {
  await using a = await startNode("a", redis.url);
  await using b = await startNode("b", redis.url);
  await a.beat();
  b.bus.on("long", () => "x".repeat(5 * 1024 * 1024));
  const unsent = { ok: false, cause: "unsent" } as const;
  expect(await a.bus.request("b", "note", "x".repeat(5 * 1024 * 1024))).toEqual(unsent);
  expect(await a.bus.request("b", "note", 1n)).toEqual(unsent);
  expect(await a.bus.request("b", "long", 1)).toEqual(unsent);
});
