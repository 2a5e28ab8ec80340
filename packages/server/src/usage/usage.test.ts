import { describe, expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { TenantAccounts } from "../limits/tenant-accounts.ts";
import { createCounters } from "../observe/counters.ts";
import { freshSqlite } from "../store/sqlite/test/fresh-sqlite.ts";
import type { Records } from "../store/store.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";
import { tenant } from "../store/test/bench.ts";
import { ALL_TENANTS } from "../tenant/tenants.ts";
import { type UsageRow, usageDays, usagePlan } from "./collection.ts";
import { compactUsage } from "./compaction.ts";
import { readUsage } from "./read-usage.ts";
import { dayAfter, dayOf, NO_USAGE } from "./usage.ts";
import { UsageLedger } from "./usage-ledger.ts";

const ACME = tenant("acme");
const DAY_MS = 86_400_000;

async function openBench() {
  const clock = createFakeClock();
  // Noon, so that hours later are the same day.
  clock.advance(DAY_MS - (clock.nowMs() % DAY_MS) + DAY_MS / 2);
  const database = await freshSqlite();
  const store = database.connect();
  await store.open([usagePlan]);
  const records = store.records(usageDays);
  const away = { is: false };
  const may = <T>(answer: () => Promise<T>) =>
    away.is ? Promise.reject(new StoreUnavailable("away")) : answer();
  const put: Records<UsageRow>["put"] = (...args) => may(() => records.put(...args));
  let lives = 0;

  function start(accountsMax = 1_000) {
    const counters = createCounters();
    const accounts = new TenantAccounts(
      {
        tenants: ALL_TENANTS,
        tallies: counters.byTenant,
        onRefused: () => {},
        onUncounted: () => {},
      },
      accountsMax,
    );
    const log = { ...console, isLevelEnabled: () => false };
    const ledger = new UsageLedger(
      { accounts, records: { put }, clock, counters, log, life: `life${lives++}` },
      { writeMs: 5_000, accountsMax },
    );
    const send = (count: number, bytes = 0) =>
      void accounts.of(ACME).take(count, bytes, clock.monotonicMs());
    return { accounts, ledger, counters, send };
  }
  const today = () => dayOf(clock.nowMs());
  return {
    ...{ clock, records, away, start, today },
    read: (live?: UsageRow, back = 30) =>
      readUsage(records, ACME, { from: dayAfter(today(), -back), to: today() }, live),
    rows: () => records.list(ACME, { index: "key", limit: 1_000 }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

describe("[QU7] usage of a tenant", () => {
  test("is the sum of what all processes counted on a day; nothing is counted twice, however often it is written", async () => {
    await using bench = await openBench();
    const [one, two] = [bench.start(), bench.start()];
    one.send(3, 100);
    await one.ledger.write();
    await one.ledger.write();
    one.send(2, 50);
    two.send(10, 1_000);
    for (const { ledger } of [one, two, one]) await ledger.write();
    expect(await bench.read()).toMatchObject([
      { day: bench.today(), messagesIn: 15, bytesIn: 1_150 },
    ]);
  });

  test("what is not written yet is lost with the process, and all before it is not", async () => {
    await using bench = await openBench();
    const dying = bench.start();
    dying.send(5);
    await dying.ledger.write();
    dying.send(7);
    const next = bench.start();
    next.send(1);
    await next.ledger.write();
    expect(await bench.read()).toMatchObject([{ messagesIn: 6 }]);
    expect(await bench.read(next.ledger.today(ACME))).toMatchObject([{ messagesIn: 6 }]);
    next.send(2);
    expect(await bench.read(next.ledger.today(ACME))).toMatchObject([{ messagesIn: 8 }]);
  });

  test("a day ends at midnight UTC, with connections that stay", async () => {
    await using bench = await openBench();
    const node = bench.start();
    node.accounts.of(ACME).joined(bench.clock.monotonicMs());
    node.send(4);
    await node.ledger.write();
    node.send(1);
    bench.clock.advance(DAY_MS / 2 + 60_000);
    await node.ledger.write();
    node.send(2);
    await node.ledger.write();
    const [yesterday, today] = await bench.read();
    expect(yesterday).toMatchObject({ messagesIn: 5, connectionsPeak: 1 });
    expect(today).toMatchObject({ messagesIn: 2, connectionsPeak: 1 });
    const total = (yesterday?.connectionMs ?? 0) + (today?.connectionMs ?? 0);
    expect(total).toBe(DAY_MS / 2 + 60_000);
  });

  test("a store that is away for hours, over midnight, loses nothing", async () => {
    await using bench = await openBench();
    const node = bench.start();
    bench.away.is = true;
    node.send(4);
    await node.ledger.write();
    bench.clock.advance(DAY_MS);
    node.send(2);
    await node.ledger.write();
    expect(node.counters.usageWritesFailed).toBe(2);
    bench.away.is = false;
    await node.ledger.write();
    expect((await bench.read()).map(({ messagesIn }) => messagesIn)).toEqual([6]);
  });

  test("who does nothing has no row, and is forgotten when there are many", async () => {
    await using bench = await openBench();
    const node = bench.start(4);
    node.accounts.of(ACME);
    await node.ledger.write();
    expect(await bench.rows()).toEqual([]);
    for (const name of ["a", "b", "c"]) node.accounts.of(tenant(name)).take(1, 1, 0);
    node.send(1);
    await node.ledger.write();
    expect(node.accounts.size).toBe(0);
    node.send(1);
    await node.ledger.write();
    expect(await bench.read()).toMatchObject([{ messagesIn: 2 }]);
  });
});

describe("[QU7] days that are over", () => {
  async function fill(bench: Awaited<ReturnType<typeof openBench>>, day: string) {
    for (let n = 1; n <= 4; n++) {
      const row = { ...NO_USAGE, day, account: `life${n}.0`, connectionsPeak: n, messagesIn: n };
      await bench.records.put(ACME, row);
    }
  }

  test("are put together into one row, and those that are too old go", async () => {
    await using bench = await openBench();
    const [today, settled] = [bench.today(), dayAfter(bench.today(), -3)];
    for (const day of [today, settled, dayAfter(today, -9)]) await fill(bench, day);
    const before = await bench.read(undefined, 5);
    await compactUsage(bench.records, { today, keepDays: 7 });
    expect(await bench.read(undefined, 30)).toEqual(before);
    const accounts = (await bench.rows()).map(({ day, account }) => `${day} ${account}`);
    expect(accounts.filter((row) => row.startsWith(settled))).toEqual([`${settled} total`]);
    expect(accounts.length).toBe(5);
    await compactUsage(bench.records, { today, keepDays: 7 });
    expect(await bench.read(undefined, 30)).toEqual(before);
  });

  test("with more rows than are read at once, they still become one", async () => {
    await using bench = await openBench();
    const day = dayAfter(bench.today(), -5);
    const options = { today: bench.today(), keepDays: 400 };
    const write = (n: number) => {
      const row = { ...NO_USAGE, day, account: `life${n}.0`, connectionsPeak: 0, messagesIn: 1 };
      return bench.records.put(ACME, row);
    };
    await Promise.all(Array.from({ length: 2_500 }, (_, n) => write(n)));
    for (let walk = 0; walk < 4; walk++) await compactUsage(bench.records, options);
    expect((await bench.rows()).map(({ account }) => account)).toEqual(["total"]);
    expect(await bench.read()).toMatchObject([{ messagesIn: 2_500 }]);
  });

  test("faults 1: whoever puts them together may die after any write, or not be alone: nothing is lost or counted twice", async () => {
    for (let lasts = 0; lasts < 14; lasts++) {
      await using bench = await openBench();
      const day = dayAfter(bench.today(), -5);
      await fill(bench, day);
      const before = await bench.read();
      const dying = dyingAfter(bench.records, lasts);
      const options = { today: bench.today(), keepDays: 400 };
      await compactUsage(dying, options).catch(() => {});
      expect(await bench.read()).toEqual(before);
      const late = { ...NO_USAGE, day, account: "late.0", connectionsPeak: 0, messagesIn: 5 };
      await bench.records.put(ACME, late);
      await Promise.all([1, 2].map(() => compactUsage(bench.records, options)));
      expect(await bench.read()).toMatchObject([{ messagesIn: 15 }]);
      await compactUsage(bench.records, options);
      expect((await bench.rows()).map(({ account }) => account)).toEqual(["total"]);
      expect(await bench.read()).toMatchObject([{ messagesIn: 15 }]);
    }
  });
});

/** Records that go away after so many writes. */
function dyingAfter<R extends object>(records: Records<R>, writes: number): Records<R> {
  let left = writes;
  const isWrite = new Set(["insert", "put", "update", "remove"]);
  return new Proxy(records, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (isWrite.has(String(name)) && left-- <= 0) return Promise.reject(new Error("dead"));
        return value.apply(target, args);
      };
    },
  });
}
