import { describe, expect, test } from "bun:test";
import { StoreUnavailable } from "../plugins/index.ts";
import { Directory } from "./directory.ts";
import { type Bench, counting, HERE, identity, openBench, recordsOf } from "./test/bench.ts";
import { WriteBehind, type WriteBehindSettings } from "./write-behind.ts";

const SETTINGS: WriteBehindSettings = {
  writeIntervalMs: 1_000,
  writesPerSecond: 10_000,
  queueMax: 50_000,
  knownMax: 50_000,
  seenIntervalMs: 600_000,
  lingerMs: 5_000,
};

/** One node: who is connected to it, and what it writes to the store. */
function openNode(bench: Bench, settings: Partial<WriteBehindSettings> = {}) {
  const calls = new Map<string, number>();
  const counts = new Map<string, number>();
  const { profiles, words } = recordsOf(bench.store);
  const directory = new Directory({
    profiles: counting(profiles, calls),
    words: counting(words, calls),
    clock: bench.clock,
  });
  const here = new Map<string, number>();
  const away = new Set<string>();
  let isStoreAway = false;
  const behind = new WriteBehind(
    {
      clock: bench.clock,
      directory: {
        getMany: (tenant, ids) => {
          if (isStoreAway) throw new StoreUnavailable("away");
          return directory.getMany(tenant, ids);
        },
        edit: (...args) => directory.edit(...args),
        markSeen: (...args) => directory.markSeen(...args),
      },
      isHere: (_, userId) => (here.get(userId) ?? 0) > 0,
      elsewhere: async (_, ids) => new Set(ids.filter((id) => away.has(id))),
      count: (event) => void counts.set(event, (counts.get(event) ?? 0) + 1),
    },
    { ...SETTINGS, ...settings },
  );
  return {
    behind,
    away,
    counts,
    connect(userId: string, more = {}) {
      here.set(userId, (here.get(userId) ?? 0) + 1);
      behind.connected(identity(userId, more));
    },
    leave(userId: string) {
      here.set(userId, (here.get(userId) ?? 1) - 1);
      behind.disconnected(identity(userId));
    },
    setStoreAway: (away: boolean) => {
      isStoreAway = away;
    },
    /** What was asked of the store since the last time. */
    taken() {
      const taken = Object.fromEntries(calls);
      calls.clear();
      return taken;
    },
    seen: async (userId: string) =>
      (await bench.directory.get({ tenant: HERE, userId }))?.lastSeenAt,
  };
}

const storm = Array.from({ length: 2_000 }, (_, n) => `user-${n}`);

describe("what connections tell of users", () => {
  test("[US1] a first connection is written, with its claims; anonymous ones are not", async () => {
    await using bench = await openBench();
    const { behind, connect } = openNode(bench);
    connect("ann", { name: "Ann", email: "Ann@example.com", avatar: "x".repeat(3_000) });
    connect("anon:1", { anonymous: true });
    await behind.flush();
    expect(await bench.directory.page(HERE, { after: undefined, limit: 10 })).toEqual([
      {
        user: "ann",
        claimed: { name: "Ann", email: "Ann@example.com" },
        given: {},
        email: "ann@example.com",
        lastSeenAt: bench.clock.nowMs(),
        version: bench.clock.nowMs(),
      },
    ]);
  });

  test("a storm of users who are known costs no writes: cut and back, on this node, another, or a new one", async () => {
    await using bench = await openBench();
    const { behind, connect, leave, taken, away } = openNode(bench);
    for (const id of storm) connect(id);
    await behind.flush();
    expect(taken()).toEqual({ getMany: 4, put: 3 * storm.length, insert: storm.length });
    for (const id of storm) leave(id);
    bench.clock.advance(2_000);
    for (const id of storm) connect(id);
    bench.clock.advance(10_000);
    await behind.flush();
    expect([taken(), behind.waiting]).toEqual([{}, 0]);
    // They move to another node, which was started a moment ago.
    const other = openNode(bench);
    for (const id of storm) {
      other.connect(id);
      leave(id);
      away.add(id);
    }
    bench.clock.advance(10_000);
    await Promise.all([behind.flush(), other.behind.flush()]);
    expect(taken()).toEqual({});
    expect(other.taken()).toEqual({ getMany: 4 });
  });

  test("[US2] leaving is written once the time is over, if nobody came back", async () => {
    await using bench = await openBench();
    const { behind, connect, leave, taken, seen } = openNode(bench);
    connect("ann");
    connect("ann");
    await behind.flush();
    taken();
    bench.clock.advance(60_000);
    leave("ann");
    bench.clock.advance(60_000);
    await behind.flush();
    expect(taken()).toEqual({});
    leave("ann");
    const leftAtMs = bench.clock.nowMs();
    bench.clock.advance(4_999);
    await behind.flush();
    expect(taken()).toEqual({});
    bench.clock.advance(1);
    await behind.flush();
    expect([taken(), await seen("ann")]).toEqual([{ getMany: 1, update: 1 }, leftAtMs]);
  });

  test("[US2] who stays is written every so often", async () => {
    await using bench = await openBench();
    const { behind, connect, taken, seen } = openNode(bench);
    connect("ann");
    for (let minute = 0; minute < 60; minute++) {
      await behind.flush();
      bench.clock.advance(60_000);
    }
    expect((taken()["update"] ?? 0) <= 6).toBe(true);
    expect(bench.clock.nowMs() - ((await seen("ann")) ?? 0) <= 720_000).toBe(true);
  });

  test("[US1] another name is written at once, and nothing else with it", async () => {
    await using bench = await openBench();
    const { behind, connect, taken } = openNode(bench);
    connect("ann", { name: "Ann" });
    await behind.flush();
    taken();
    connect("ann", { name: "Anna" });
    await behind.flush();
    expect(taken()).toEqual({ getMany: 1, put: 1, update: 1, remove: 1 });
  });

  test("faults 10: what is told while the store is away is written when it is back, with a bound", async () => {
    await using bench = await openBench();
    const { behind, connect, leave, counts, setStoreAway, seen } = openNode(bench, { queueMax: 3 });
    setStoreAway(true);
    for (const id of ["ann", "bob", "cid", "dan"]) connect(id);
    await behind.flush();
    expect([behind.waiting, counts.get("not_queued"), counts.get("write_failed")]).toEqual([
      3, 1, 1,
    ]);
    // Who came and went meanwhile was here all the same.
    leave("ann");
    bench.clock.advance(60_000);
    await behind.flush();
    setStoreAway(false);
    await behind.flush();
    expect(await Promise.all(["ann", "bob", "cid", "dan"].map(seen))).toEqual([
      expect.any(Number),
      expect.any(Number),
      expect.any(Number),
      undefined,
    ]);
  });

  test("[US11] who was removed is not written by leaving, but by coming again", async () => {
    await using bench = await openBench();
    const { behind, connect, leave, seen } = openNode(bench);
    connect("ann");
    await behind.flush();
    await bench.directory.remove({ tenant: HERE, userId: "ann" });
    behind.forget(HERE, "ann");
    leave("ann");
    bench.clock.advance(60_000);
    await behind.flush();
    expect(await seen("ann")).toBeUndefined();
    connect("ann");
    await behind.flush();
    expect(await seen("ann")).toBe(bench.clock.nowMs());
  });

  test("a stop writes who was here, without waiting for those who may come back", async () => {
    await using bench = await openBench();
    const { behind, connect, leave, seen } = openNode(bench);
    connect("ann");
    await behind.flush();
    bench.clock.advance(60_000);
    leave("ann");
    await behind.close();
    expect(await seen("ann")).toBe(bench.clock.nowMs());
  });

  test("no more than the rate are written between two calls", async () => {
    await using bench = await openBench();
    const { behind, connect } = openNode(bench, { writesPerSecond: 30 });
    for (const id of storm) connect(id);
    await behind.flush();
    expect(behind.waiting).toBe(storm.length - 30);
  });
});
