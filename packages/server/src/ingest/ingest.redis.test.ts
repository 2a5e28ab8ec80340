import { expect, test } from "bun:test";
import { eventually, type RedisServer, startRedis } from "@aldis/testkit";
import type { PublishOutcome } from "../broker/broker.ts";
import { MemoryBroker } from "../broker/memory-broker.ts";
import { BrokerUnavailable } from "../broker-unavailable.ts";
import { Namespaces } from "../channel/namespaces.ts";
import { createPublisher, type Publisher, type PublishRequest } from "../channel/publisher.ts";
import { namespaceSchema } from "../config/namespace-schema.ts";
import { type ConfigInput, configSchema } from "../config/schema.ts";
import { openLoneHub } from "../hub/test/lone-hub.ts";
import { createLimits } from "../limits/create-limits.ts";
import { createCounters } from "../observe/counters.ts";
import { createLog } from "../observe/log.ts";
import { createRandomIds } from "../random/random.ts";
import { openShards } from "../redis/shards.ts";
import { DEFAULT_TENANT } from "../tenant/tenant.ts";
import { ALL_TENANTS, type Tenants } from "../tenant/tenants.ts";
import { systemClock as clock } from "../time/clock.ts";
import { type Ingest, type IngestDeps, startIngest } from "./ingest.ts";
import type { PublishDeps } from "./outcome.ts";

/** A broker that all nodes of a test share, and what was published in it, in order. */
function createWorld(input: ConfigInput = {}) {
  const config = configSchema.parse(input);
  const counters = createCounters();
  const published: string[] = [];
  const random = createRandomIds();
  const broker = new MemoryBroker(
    { clock, random, deliver: (key, { json }) => published.push(`${key} ${json}`) },
    config.channel,
  );
  const namespaces = new Namespaces(config.namespaces, namespaceSchema.parse({}));
  const rates = createLimits({ clock, counters }, config).channels;
  const publisher = createPublisher({ broker, hub: openLoneHub(), namespaces, counters, rates });
  return { counters, published, publisher, broker };
}

type World = ReturnType<typeof createWorld> & Pick<PublishDeps, "take">;

type Node = AsyncDisposable & { readonly ingest: Ingest; abandon(): Promise<void> };

type NodeOptions = {
  readonly urls: readonly string[];
  readonly node: string;
  readonly publisher?: Publisher;
  readonly ingest?: ConfigInput["ingest"];
  readonly tenants?: Pick<IngestDeps, "tenants" | "tenantsKnown">;
};

const KNOWN = { tenants: ALL_TENANTS, tenantsKnown: Promise.resolve() };

function startNode(
  world: World,
  { urls, node, publisher, ingest, tenants = KNOWN }: NodeOptions,
): Node {
  const config = configSchema.parse({
    broker: [...urls],
    redis: { commandTimeoutMs: 500 },
    ingest: { leaseMs: 600, ...ingest },
  });
  const shards = openShards(config);
  if (shards === undefined) throw new Error("shards were configured");
  const log = createLog("silent", () => {});
  const running = startIngest(
    {
      ...{ ...world, ...tenants, clock, log, node, shards: shards.all },
      publisher: publisher ?? world.publisher,
    },
    { ...config.ingest, prefix: "aldis", messageMaxBytes: 10_000 },
  );
  return {
    ingest: running,
    /** As a process that dies: nothing is handed over. */
    async abandon() {
      await shards.close();
    },
    async [Symbol.asyncDispose]() {
      await running.close();
      await shards.close();
    },
  };
}

const leadsAll = (node: Node, shards = 1) =>
  eventually("the node to lead", () => node.ingest.backlog.shardsLed === shards);

/** Publishes are kept until they are let go, as with a broker that is slow to answer. */
function gated(publisher: Publisher) {
  const gate = Promise.withResolvers<void>();
  const asked: PublishRequest[] = [];
  return {
    asked,
    open: gate.resolve,
    publisher: {
      publish(request: PublishRequest) {
        asked.push(request);
        const begun = publisher.publish(request);
        if (!begun.ok) return begun;
        const { value } = begun;
        return { ok: true, value: gate.promise.then(() => value) } as const;
      },
    } satisfies Publisher,
  };
}

async function waiting(redis: RedisServer): Promise<string> {
  return await redis.cli("XLEN", "aldis:ingest");
}

test("PUBLISH reaches every tenant's channels, once, whatever the number of nodes", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  await using a = startNode(world, { urls: [redis.url], node: "a" });
  await using b = startNode(world, { urls: [redis.url], node: "b" });
  await eventually(
    "one to lead",
    () => a.ingest.backlog.shardsLed + b.ingest.backlog.shardsLed === 1,
  );
  await eventually(
    "it to listen",
    async () => (await redis.cli("PUBSUB", "NUMSUB", "aldis:ingest")) === "aldis:ingest\n1",
  );
  const heard = await redis.cli(
    ...["PUBLISH", "aldis:ingest", '{"channel":"chat:a","event":"say","key":"k","data":{"n":1}}'],
  );
  expect(heard).toBe("1");
  await redis.cli("PUBLISH", "aldis:ingest", '{"tenant":"acme","channel":"x","base64":"AAE="}');
  await redis.cli("PUBLISH", "aldis:ingest", '{"channel":"a b","data":1}');
  await redis.cli("PUBLISH", "aldis:ingest", '{"channel":"chat:a","data":2,"idempotencyKey":"i"}');
  await redis.cli("PUBLISH", "aldis:ingest", '{"channel":"chat:a","data":3,"idempotencyKey":"i"}');
  await eventually("all to be published", () => world.published.length === 3);
  expect(world.published.map((line) => line.split(" ")[0])).toEqual([
    ...["default/chat:a", "acme/x", "default/chat:a"],
  ]);
  expect(world.published[0]).toContain('"data":{"n":1}');
  expect(world.published[1]).toContain('"base64":"AAE="');
  await eventually("the duplicate", () => world.counters.ingestPublished["duplicate"] === 1);
  expect(world.counters.ingestReceived).toMatchObject({ publish: 5 });
  expect(world.counters.ingestRefused).toMatchObject({ bad_channel: 1 });
});

test("XADD takes a payload or single fields, in order, and what is published is forgotten", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  // Before any node was there.
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", '{"n":0}');
  await using node = startNode(world, { urls: [redis.url], node: "a" });
  await leadsAll(node);
  await redis.cli("XADD", "aldis:ingest", "*", "payload", '{"channel":"c","data":{"n":1}}');
  await redis.cli(
    ...["XADD", "aldis:ingest", "*", "tenant", "acme", "channel", "c", "event", "e"],
    ...["key", "k", "data", '"two"', "version", "2", "idempotencyKey", "i", "later", "unknown"],
  );
  for (let n = 3; n < 300; n++) {
    await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", `{"n":${n}}`);
  }
  await eventually("all to be published", () => world.published.length === 300);
  const ns = world.published.map((line) => Number(/"n":(\d+)/.exec(line)?.[1] ?? 2));
  expect(ns).toEqual(Array.from({ length: 300 }, (_, i) => i));
  expect(world.published[2]).toMatch(/^acme\/c .*"event":"e".*"key":"k".*"data":"two"/);
  await eventually("all to be acknowledged", async () => (await waiting(redis)) === "0");
  await eventually("nothing to wait", () => node.ingest.backlog.pending === 0);
});

test("what can never be published is a dead letter with its reason, which may be added again", async () => {
  await using redis = await startRedis();
  const world = createWorld({ namespaces: { small: { messageMaxBytes: 5 } } });
  const bad: [string, string[]][] = [
    ["bad_channel", ["channel", "a b", "data", "1"]],
    ["bad_request", ["channel", "c", "data", "no json"]],
    ["bad_request", ["channel", "c"]],
    ["bad_request", ["channel", "c", "data", "1", "data", "2"]],
    ["bad_request", ["channel", "c", "data", "1", "payload", "{}"]],
    ["bad_request", ["tenant", "../x", "channel", "c", "data", "1"]],
    ["bad_request", ["payload", '{"channel":"c","data":1,"version":-1}']],
    ["bad_request", ["payload", `{"channel":"c","data":${"[".repeat(999)}${"]".repeat(999)}}`]],
    ["too_large", ["channel", "small:c", "data", '"123456"']],
    ["too_large", ["channel", "c", "data", `"${"x".repeat(10_000)}"`]],
  ];
  for (const [, fields] of bad) await redis.cli("XADD", "aldis:ingest", "*", ...fields);
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", '"good"');
  await using node = startNode(world, { urls: [redis.url], node: "a" });
  await leadsAll(node);
  await eventually("all to be done with", async () => (await waiting(redis)) === "0");
  expect(world.published).toHaveLength(1);
  const dead = await redis.cli("--json", "XRANGE", "aldis:ingest:dead", "-", "+");
  const letters = (JSON.parse(dead) as [string, string[]][]).map(([, words]) => words);
  const codes = letters.map((words) => words[words.indexOf("dead.code") + 1]);
  expect(codes.toSorted()).toEqual(bad.map(([code]) => code).toSorted());
  const [first = []] = letters;
  expect(first.slice(-4)).toEqual(["channel", "a b", "data", "1"]);
  // Once more, as it stands: it dies again, and tells its new reason alone.
  await redis.cli("XADD", "aldis:ingest", "*", ...first);
  await eventually("the letter to die again", async () => {
    return (await redis.cli("XLEN", "aldis:ingest:dead")) === String(bad.length + 1);
  });
  const again = await redis.cli("XREVRANGE", "aldis:ingest:dead", "+", "-", "COUNT", "1");
  expect(again.match(/dead\.code/g)).toHaveLength(1);
  expect(world.counters.ingestDead).toEqual({ bad_channel: 2, bad_request: 7, too_large: 2 });
});

test("faults 1: what a node left when it died is published by another, once", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  const slow = gated(world.publisher);
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", "1");
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", "2");
  const dying = startNode(world, { urls: [redis.url], node: "a", publisher: slow.publisher });
  // Published, and dead before it could acknowledge them.
  await eventually("both to be published", () => slow.asked.length === 2);
  await dying.abandon();
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", "3");
  await using other = startNode(world, { urls: [redis.url], node: "b" });
  await leadsAll(other);
  await eventually("all to be done with", async () => (await waiting(redis)) === "0");
  expect(world.published).toHaveLength(3);
  expect(world.counters.ingestPublished["duplicate"]).toBe(2);
  expect(world.counters.ingestClaimed).toBe(2);
  slow.open();
  await dying.ingest.close();
});

test("a node that stops hands over at once; nothing that was added is lost or reordered", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  const first = startNode(world, { urls: [redis.url], node: "a" });
  await leadsAll(first);
  let stopped: PromiseLike<void> | undefined;
  await using second = startNode(world, {
    urls: [redis.url],
    node: "b",
    ingest: { leaseMs: 60_000 },
  });
  for (let n = 0; n < 50; n++) {
    await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", `{"n":${n}}`);
    if (n === 20) stopped = first[Symbol.asyncDispose]();
  }
  await stopped;
  await leadsAll(second);
  await eventually("all to be done with", async () => (await waiting(redis)) === "0");
  const ns = world.published.map((line) => Number(/"n":(\d+)/.exec(line)?.[1]));
  expect(ns).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test("faults 6: a Redis that comes back empty has its group again", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  await using node = startNode(world, { urls: [redis.url], node: "a" });
  await leadsAll(node);
  await redis.restart();
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", "1");
  await eventually("the entry to be published", () => world.published.length === 1);
  await eventually("the topic to be heard", async () => {
    await redis.cli("PUBLISH", "aldis:ingest", '{"channel":"c","data":2}');
    return world.published.length > 1;
  });
});

test("faults 5: nothing is lost or doubled while Redis is stopped", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  await using node = startNode(world, { urls: [redis.url], node: "a" });
  await leadsAll(node);
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", "0");
  await redis.pause();
  await eventually("the lease to be over", () => node.ingest.backlog.shardsLed === 0);
  redis.resume();
  for (let n = 1; n < 20; n++) {
    await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", String(n));
  }
  await eventually("all to be done with", async () => (await waiting(redis)) === "0");
  expect(world.published.map((line) => line.slice(-3, -1))).toHaveLength(20);
});

test("P5: an outage of the broker kills no entry, keeps their order, and holds up no other channel", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  let away = true;
  const publisher: Publisher = {
    publish(request) {
      const fails = away && request.channel.startsWith("far:");
      const outage = () => Promise.reject<PublishOutcome>(new BrokerUnavailable("away"));
      return fails ? { ok: true, value: outage() } : world.publisher.publish(request);
    },
  };
  await using node = startNode(world, {
    ...{ urls: [redis.url], node: "a", publisher },
    ingest: { attemptsMax: 1 },
  });
  await leadsAll(node);
  for (const n of [0, 1, 2]) {
    await redis.cli("XADD", "aldis:ingest", "*", "channel", "far:c", "data", `{"n":${n}}`);
  }
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "near:c", "data", "1");
  await eventually("the other channel's", () => world.published.length === 1);
  await eventually("some attempts", () => (world.counters.ingestRefused["unavailable"] ?? 0) > 3);
  expect(await waiting(redis)).toBe("3");
  away = false;
  await eventually("all to be done with", async () => (await waiting(redis)) === "0");
  const ns = world.published.slice(1).map((line) => Number(/"n":(\d+)/.exec(line)?.[1]));
  expect(ns).toEqual([0, 1, 2]);
  expect(world.counters.ingestDead).toEqual({});
});

test("[LI7] the namespace's rate holds: what is over it waits, up to its share, and up to its attempts", async () => {
  await using redis = await startRedis();
  const world = createWorld({
    namespaces: { slow: { rate: { publishesPerSecond: 1, burst: 1 } } },
  });
  await using node = startNode(world, {
    ...{ urls: [redis.url], node: "a" },
    ingest: { heldMax: 16, attemptsMax: 2 },
  });
  await leadsAll(node);
  for (let n = 0; n < 10; n++) {
    await redis.cli("XADD", "aldis:ingest", "*", "channel", "slow:c", "data", `{"n":${n}}`);
  }
  await redis.cli("XADD", "aldis:ingest", "*", "channel", "c", "data", '"other"');
  await eventually("the other channel's", () => world.published.some((l) => l.includes("other")));
  await eventually("all to be done with", async () => (await waiting(redis)) === "0");
  const slow = world.published.filter((line) => line.startsWith("default/slow"));
  expect(slow.length).toBeGreaterThanOrEqual(3);
  expect(slow.length + (world.counters.ingestDead["rate_limited"] ?? 0)).toBe(10);
});

test("every Redis of a list takes what comes in; the same entry id on two of them is two entries", async () => {
  await using one = await startRedis();
  await using two = await startRedis();
  const world = createWorld();
  await using node = startNode(world, { urls: [one.url, two.url], node: "a" });
  await leadsAll(node, 2);
  for (const redis of [one, two]) {
    await redis.cli("XADD", "aldis:ingest", "5-1", "channel", "c", "data", "1");
  }
  await eventually("both to be published", () => world.published.length === 2);
});

test("[PB1] one whose channel has no room at that moment is not overtaken by those that were read with it", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  for (const n of [1, 2, 3]) {
    await redis.cli("XADD", "aldis:ingest", "*", "channel", "chat:a", "data", String(n));
  }
  let asked = 0;
  const publisher: Publisher = {
    publish(request) {
      // Its rate lets the next one pass a moment later.
      if (asked++ > 0) return world.publisher.publish(request);
      return { ok: false, error: "rate_limited", message: "too much", retryAfterMs: 1 };
    },
  };
  await using _ = startNode(world, { urls: [redis.url], node: "a", publisher });
  await eventually("all to be published", () => world.published.length === 3);
  expect(world.published.map((line) => /"data":(\d)/.exec(line)?.[1])).toEqual(["1", "2", "3"]);
});

test("[QU3] P3: a tenant over its quota waits, then loses what is too much, and takes nobody else's room", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  const over = { ok: false, error: "rate_limited", message: "", retryAfterMs: 60_000 } as const;
  const taken: number[] = [];
  const take = (tenant: string, bytes: number) => {
    if (tenant === "noisy") return over;
    taken.push(bytes);
    return undefined;
  };
  await using node = startNode(
    { ...world, take },
    { urls: [redis.url], node: "a", ingest: { heldMax: 40 } },
  );
  await leadsAll(node);
  for (let n = 0; n < 60; n++) {
    await redis.cli(
      "XADD",
      "aldis:ingest",
      "*",
      ...["tenant", "noisy", "channel", `c${n}`, "data", "1"],
    );
  }
  await redis.cli("XADD", "aldis:ingest", "*", ...["tenant", "quiet", "channel", "c", "data", "1"]);
  await eventually("the quiet one to be published", () => world.published.length === 1);
  expect(world.published[0]).toStartWith("quiet/c ");
  expect(taken).toEqual([expect.any(Number)]);
  await eventually("the rest to be dead letters", async () => {
    return (await redis.cli("XLEN", "aldis:ingest:dead")) === "50";
  });
  expect(world.counters.ingestDead).toEqual({ rate_limited: 50 });
});

test("[TN7] P2: a node that does not know the tenants yet takes nothing: a deleted one would look like any other", async () => {
  await using redis = await startRedis();
  const world = createWorld();
  const known = Promise.withResolvers<void>();
  const active = ALL_TENANTS.of(DEFAULT_TENANT);
  const shut: Tenants = {
    ...ALL_TENANTS,
    of: (tenant) => (tenant === "gone" ? { ...active, status: "deleted" } : active),
  };
  const add = (tenant: string) =>
    redis.cli("XADD", "aldis:ingest", "*", ...["tenant", tenant, "channel", "c", "data", "1"]);
  await add("gone");
  const starting = { tenants: ALL_TENANTS, tenantsKnown: known.promise };
  await using a = startNode(world, { urls: [redis.url], node: "a", tenants: starting });
  {
    const tenants = { tenants: shut, tenantsKnown: Promise.resolve() };
    await using b = startNode(world, { urls: [redis.url], node: "b", tenants });
    await leadsAll(b);
    await add("there");
    await eventually("what is allowed to be published", () => world.published.length === 1);
  }
  known.resolve();
  await leadsAll(a);
  await add("there");
  await eventually("more to be published", () => world.published.length === 2);
  expect(world.published.every((line) => line.startsWith("there/c "))).toBe(true);
});
