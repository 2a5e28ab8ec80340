import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ChannelName } from "@aldis/protocol";
import { createFakeClock, eventually, type RedisServer, startRedis } from "@aldis/testkit";
import { tenant } from "../../broker/broker.contract.ts";
import { configSchema } from "../../config/schema.ts";
import { createCounters } from "../../observe/counters.ts";
import { openShards } from "../../redis/shards.ts";
import { OpenCommands } from "../../redis/test/open-commands.ts";
import { quotasOf } from "../../tenant/quotas-of.ts";
import type { TenantState } from "../../tenant/tenants.ts";
import { takeFrom } from "../buckets.ts";
import { ChannelQuota } from "../channel-quota.ts";
import type { Counted, CountedUser } from "../connection-counts.ts";
import { Rate } from "../rate.ts";
import { MessageRate } from "../session-rates.ts";
import { TenantAccounts } from "../tenant-accounts.ts";
import { SharedChannels } from "./shared-channels.ts";
import { SharedCounts } from "./shared-counts.ts";
import { SharedRates } from "./shared-rates.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

let clusters = 0;

/** Nodes whose connections are numbers. */
function openCluster(ceilings: { readonly perUser: number; readonly perTenant: number }) {
  const clock = createFakeClock();
  const living = new Set<string>();
  const shards = openShards(
    configSchema.parse({ broker: redis.url, redis: { prefix: `limits${clusters++}` } }),
  );
  if (shards === undefined) throw new Error("a broker was configured");
  const commands = new OpenCommands();
  commands.watch(shards);

  const logged: string[] = [];

  /** `knows`: whether this one knows of another one already. */
  function open(self: string, knows: (node: string) => boolean = () => true) {
    living.add(self);
    const counters = createCounters();
    const faults = { onOver: false };
    /** Newest last. */
    const connected: CountedUser[] = [];
    const closed: string[] = [];
    const belongs = (who: Counted) => (one: CountedUser) =>
      one.tenant === who.tenant && (who.userId ?? one.userId) === one.userId;
    const counts = new SharedCounts(
      {
        ...{
          shards: shards as NonNullable<typeof shards>,
          self,
          clock,
          counters,
          log: { error: (_: object, message: string) => void logged.push(message) },
        },
        nodes: () => [...living].filter(knows),
        countOf: (who) => connected.filter(belongs(who)).length,
        all: () => connected.values(),
        onOver(who, count) {
          if (faults.onOver) throw new Error("a fault");
          for (let n = 0; n < count; n++) {
            const at = connected.findLastIndex(belongs(who));
            const [one] = connected.splice(at, 1);
            if (one === undefined) continue;
            closed.push(one.userId);
            counts.left(one);
          }
        },
      },
      { perUser: ceilings.perUser, perTenant: () => ceilings.perTenant, movingMs: 12_000 },
    );
    return {
      ...{ self, counts, counters, connected, closed, faults },
      connect(userId: string, how: "fresh" | "resumed" = "fresh", anonymous = false) {
        const user = { tenant: tenant("default"), userId, anonymous };
        connected.push(user);
        counts.joined(user, how);
      },
      disconnect(userId: string) {
        const at = connected.findIndex((one) => one.userId === userId);
        const [one] = connected.splice(at, 1);
        if (one !== undefined) counts.left(one);
      },
    };
  }
  return {
    ...{ clock, living, logged, open },
    /** A round of all nodes, one after another. */
    async pass(ms = 250) {
      for (let left = ms; left > 0; left -= 250) {
        clock.advance(250);
        await commands.settle();
      }
    },
    async [Symbol.asyncDispose]() {
      await shards.close();
    },
  };
}

test("[LI4] a user's connections over all nodes: the newest beyond the ceiling are closed, the others stay", async () => {
  await using cluster = openCluster({ perUser: 4, perTenant: 0 });
  const [one, two, three] = [cluster.open("one"), cluster.open("two"), cluster.open("three")];
  for (const node of [one, two]) for (let n = 0; n < 2; n++) node.connect("ann");
  await cluster.pass(1_000);
  for (let n = 0; n < 3; n++) three.connect("ann");
  three.connect("bob");
  await eventually("the newest to be closed", async () => {
    await cluster.pass();
    return three.closed.length === 3;
  });
  expect([one.closed, two.closed, three.closed]).toEqual([[], [], ["ann", "ann", "ann"]]);
  one.disconnect("ann");
  await cluster.pass(1_000);
  three.connect("ann");
  await cluster.pass(1_000);
  expect(three.connected.length).toBe(2);
});

test("[LI4] a tenant's ceiling holds over all nodes, for anonymous users too; theirs do not", async () => {
  await using cluster = openCluster({ perUser: 1, perTenant: 5 });
  const [one, two] = [cluster.open("one"), cluster.open("two")];
  for (let n = 0; n < 3; n++) one.connect("anon:x", "fresh", true);
  await cluster.pass(1_000);
  for (let n = 0; n < 4; n++) two.connect(`user-${n}`);
  await eventually("the newest to be closed", async () => {
    await cluster.pass();
    return two.closed.length === 2;
  });
  expect([one.closed, two.closed]).toEqual([[], ["user-3", "user-2"]]);
});

test("faults 1: connections of a dead node do not count, and sessions that come back from it have the time until then", async () => {
  await using cluster = openCluster({ perUser: 2, perTenant: 0 });
  const [one, two] = [cluster.open("one"), cluster.open("two")];
  for (let n = 0; n < 2; n++) one.connect("ann");
  await cluster.pass(1_000);
  one.counts.close();
  for (let n = 0; n < 2; n++) two.connect("ann", "resumed");
  await cluster.pass(3_000);
  expect(two.closed).toEqual([]);
  cluster.living.delete("one");
  await cluster.pass(15_000);
  expect([two.closed, two.connected.length]).toEqual([[], 2]);
});

test("P3: sessions that were parked one after another and are resumed together are too many in the end", async () => {
  await using cluster = openCluster({ perUser: 2, perTenant: 0 });
  const [one, two] = [cluster.open("one"), cluster.open("two")];
  for (let n = 0; n < 2; n++) one.connect("ann");
  await cluster.pass(1_000);
  for (let n = 0; n < 5; n++) two.connect("ann", "resumed");
  await cluster.pass(15_000);
  await eventually("as many as may be to be left", async () => {
    await cluster.pass();
    return one.connected.length + two.connected.length === 2;
  });
});

test("[LI4] connections on a node that this one has not heard of yet are counted as soon as it has", async () => {
  await using cluster = openCluster({ perUser: 2, perTenant: 0 });
  const known = new Set(["one"]);
  const one = cluster.open("one", (node) => known.has(node));
  const two = cluster.open("two");
  for (let n = 0; n < 2; n++) two.connect("ann");
  await cluster.pass(1_000);
  one.connect("ann");
  await cluster.pass(1_000);
  known.add("two");
  await cluster.pass(5_000);
  await eventually("the newest to be closed", async () => {
    await cluster.pass();
    return one.closed.length === 1;
  });
  expect(two.closed).toEqual([]);
});

test("[LI4] rows of a node that nobody living has known do not count, and are removed in the end", async () => {
  await using cluster = openCluster({ perUser: 2, perTenant: 0 });
  const old = cluster.open("old");
  for (let n = 0; n < 2; n++) old.connect("ann");
  await cluster.pass(1_000);
  old.counts.close();
  cluster.living.delete("old");
  const one = cluster.open("one");
  for (let n = 0; n < 2; n++) one.connect("ann");
  const [key = ""] = (await redis.cli("keys", `limits${clusters - 1}:*`)).split("\n");
  await eventually("the old row to go", async () => {
    await cluster.pass(1_000);
    return !(await redis.cli("hkeys", key)).includes("old");
  });
  expect(one.closed).toEqual([]);
});

test("a fault in closing is told as such, once, and is not taken for Redis being away", async () => {
  await using cluster = openCluster({ perUser: 1, perTenant: 0 });
  const one = cluster.open("one");
  one.faults.onOver = true;
  for (let n = 0; n < 2; n++) one.connect("ann");
  await eventually("the fault to be told", async () => {
    await cluster.pass();
    return cluster.logged.length > 0;
  });
  await cluster.pass(2_000);
  expect([cluster.logged.length, one.counters.sharedLimitsFailed]).toEqual([1, 0]);
});

test("faults 6: what an empty Redis has lost is told again", async () => {
  await using cluster = openCluster({ perUser: 2, perTenant: 0 });
  const [one, two] = [cluster.open("one"), cluster.open("two")];
  for (let n = 0; n < 2; n++) one.connect("ann");
  await cluster.pass(1_000);
  await redis.cli("flushall");
  one.counts.tellAll();
  await cluster.pass(1_000);
  two.connect("ann");
  await eventually("the newest to be closed", async () => {
    await cluster.pass();
    return two.closed.length === 1;
  });
});

test("[LI6] a user on three nodes sends as much as on one: what was too much at first is paid back", async () => {
  const clock = createFakeClock();
  const shards = openShards(configSchema.parse({ broker: redis.url, redis: { prefix: "rates" } }));
  if (shards === undefined) throw new Error("a broker was configured");
  const commands = new OpenCommands();
  commands.watch(shards);
  const perMinute = 60;
  const nodes = ["one", "two", "three"].map(() => {
    const messages = new MessageRate(new Rate(perMinute / 60_000, perMinute), 1_000, () => {});
    const deps = { shards, clock, counters: createCounters(), told: [messages.told] };
    return { messages, shared: new SharedRates({ ...deps, redisNowMs: () => clock.nowMs() }) };
  });
  const ann = { tenant: tenant("default"), userId: "ann" };
  let sent = 0;
  for (let tick = 0; tick < 10 * 60 * 4; tick++) {
    const nowMs = clock.monotonicMs();
    for (const { messages } of nodes) {
      const bucket = messages.bucketOf(ann, undefined, nowMs);
      if (takeFrom(bucket, messages.rate, nowMs) > 0) continue;
      messages.noteTaken(ann, bucket);
      sent++;
    }
    clock.advance(250);
    await commands.settle();
  }
  // Ten minutes' worth, and one that could come at once.
  expect(sent).toBeGreaterThan(perMinute * 10);
  expect(sent).toBeLessThan(perMinute * 11 * 1.1);
  for (const { shared } of nodes) shared.close();
  await shards.close();
}, 60_000);

test("[QU3] a tenant on three nodes sends as much as its quotas allow on one, in messages and in bytes", async () => {
  const clock = createFakeClock();
  const shards = openShards(
    configSchema.parse({ broker: redis.url, redis: { prefix: "tenant-rates" } }),
  );
  if (shards === undefined) throw new Error("a broker was configured");
  const commands = new OpenCommands();
  commands.watch(shards);
  const [messagesPerSecond, bytesPerSecond, seconds] = [40, 4_000, 60];
  const state: TenantState = {
    status: "active",
    quotas: quotasOf({ messagesPerSecond, bytesPerSecond }),
  };
  const nodes = ["one", "two", "three"].map(() => {
    const counters = createCounters();
    const accounts = new TenantAccounts(
      {
        tenants: { of: () => state, onChange() {} },
        tallies: counters.byTenant,
        onRefused: () => {},
        onUncounted: () => {},
      },
      10,
    );
    const told = [accounts.messages, accounts.bytes];
    const deps = { shards, clock, counters, told, redisNowMs: () => clock.nowMs() };
    return { accounts, shared: new SharedRates(deps) };
  });
  const [chatty, bulky] = [tenant("chatty"), tenant("bulky")];
  for (let tick = 0; tick < seconds * 8; tick++) {
    const nowMs = clock.monotonicMs();
    for (const { accounts } of nodes) {
      for (let n = 0; n < 20; n++) accounts.of(chatty).take(1, 1, nowMs);
      for (let n = 0; n < 4; n++) accounts.of(bulky).take(1, 500, nowMs);
    }
    clock.advance(125);
    await commands.settle();
  }
  const sum = (who: typeof chatty, of: "messagesIn" | "bytesIn") =>
    nodes.reduce((total, { accounts }) => total + accounts.of(who)[of], 0);
  // What is let through before the nodes have heard of each other is paid back.
  expect(sum(chatty, "messagesIn")).toBeGreaterThan(messagesPerSecond * seconds * 0.7);
  expect(sum(chatty, "messagesIn")).toBeLessThan(messagesPerSecond * (seconds + 4));
  expect(sum(bulky, "bytesIn")).toBeGreaterThan(bytesPerSecond * seconds * 0.7);
  expect(sum(bulky, "bytesIn")).toBeLessThan(bytesPerSecond * (seconds + 4));
  for (const { shared } of nodes) shared.close();
  await shards.close();
}, 60_000);

test("[QU4] channels over all nodes: a new one is refused at the quota wherever it is asked for, one that another node has goes on", async () => {
  const shards = openShards(configSchema.parse({ broker: redis.url, redis: { prefix: "chans" } }));
  if (shards === undefined) throw new Error("a broker was configured");
  const clock = createFakeClock();
  const acme = tenant("acme");
  const state: TenantState = { status: "active", quotas: quotasOf({ channels: 4 }) };
  const nodes = ["one", "two"].map(() => {
    const counters = createCounters();
    const accounts = new TenantAccounts(
      {
        tenants: { of: () => state, onChange() {} },
        tallies: counters.byTenant,
        onRefused: () => {},
        onUncounted: () => {},
      },
      10,
    );
    const quota = new ChannelQuota({ accounts, clock, subscriberCount: () => 1 });
    return { quota, shared: new SharedChannels({ shards, clock, counters, quota }) };
  });
  const [one, two] = nodes;
  if (one === undefined || two === undefined) throw new Error("two were made");
  const admit = async ({ quota }: typeof one, name: string) =>
    (await quota.admit(acme, name as ChannelName, 60_000))?.error;
  for (const name of ["a", "b", "c"]) expect(await admit(one, name)).toBeUndefined();
  expect(await admit(two, "d")).toBeUndefined();
  await eventually("each to know of the other's", async () => {
    clock.advance(20_500);
    await Bun.sleep(3);
    return nodes.every(({ quota }) => {
      const book = quota.books.get(acme);
      return book !== undefined && book.known.size + book.elsewhere === 4;
    });
  });
  for (const node of nodes) expect(await admit(node, "new")).toBe("quota_exceeded");
  expect(await admit(two, "a")).toBeUndefined();
  expect(await admit(one, "d")).toBeUndefined();
  for (const { shared } of nodes) shared.close();
  await shards.close();
});
