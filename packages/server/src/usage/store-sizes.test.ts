import { describe, expect, test } from "bun:test";
import { createFakeClock } from "@aldis/testkit";
import { TenantAccounts } from "../limits/tenant-accounts.ts";
import { createCounters } from "../observe/counters.ts";
import { type Keeping, MeteredStore } from "../store/metered-store.ts";
import { freshSqlite } from "../store/sqlite/test/fresh-sqlite.ts";
import { StoreUnavailable } from "../store/store-unavailable.ts";
import { ACME, OTHER, PEOPLE, PLANS } from "../store/test/bench.ts";
import { quotasOf } from "../tenant/quotas-of.ts";
import { usagePlan } from "./collection.ts";
import { sizeOfRecord } from "./record-size.ts";
import { StoreSizes, storeSizes } from "./store-sizes.ts";

const person = (id: string, town = "x".repeat(100)) => ({ id, age: 1, town });
const RECORD = sizeOfRecord(person("0000"));

async function open(storeBytes: number | undefined) {
  const clock = createFakeClock();
  const counters = createCounters();
  const database = await freshSqlite();
  const quotas = quotasOf({ storeBytes });
  const sides = await Promise.all(
    [0, 1].map(async () => {
      const accounts = new TenantAccounts(
        {
          tenants: { of: () => ({ status: "active", quotas }), onChange() {} },
          tallies: counters.byTenant,
          onRefused: () => {},
          onUncounted: () => {},
        },
        10,
      );
      let keeping: Keeping | undefined;
      const store = new MeteredStore(database.connect(), {
        ...{ clock, waitingMax: 100, keeping: () => keeping, isOwn: () => false },
        onAnswer: () => {},
        onUnavailable: () => {},
        onOverShare: () => void counters.storeOverShares++,
      });
      await store.open([...PLANS, usagePlan]);
      const sizes = new StoreSizes({ accounts, records: store.records(storeSizes) });
      keeping = {
        refusal: (tenant) => sizes.refusal(tenant),
        added: (tenant, name, record) =>
          name.startsWith("usage") ? undefined : sizes.added(tenant, sizeOfRecord(record)),
        removed: (tenant, name, count) =>
          name.startsWith("usage") ? undefined : sizes.removed(tenant, count),
      };
      const bytes = () => accounts.of(ACME).storeBytes;
      return { accounts, store, sizes, people: store.records(PEOPLE), bytes };
    }),
  );
  const [one, two] = sides;
  if (one === undefined || two === undefined) throw new Error("two were made");
  return {
    ...{ one, two, counters },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

describe("[QU6] what a tenant keeps in the store", () => {
  test("new records are refused at the quota; reading, changing and removing go on, and make room", async () => {
    await using bench = await open(3 * RECORD);
    const { people, sizes, bytes } = bench.one;
    for (const id of ["0000", "0001"]) await people.insert(ACME, person(id));
    await sizes.flush();
    expect(bytes()).toBe(2 * RECORD);
    await people.insert(ACME, person("0002"));
    await expect(people.insert(ACME, person("0003"))).rejects.toMatchObject({
      refusal: {
        error: "quota_exceeded",
        message: `tenant acme is at its quota: storeBytes ${3 * RECORD}`,
      },
    });
    await people.insert(OTHER, person("0003"));
    expect(await people.get(ACME, { id: "0002" })).toBeDefined();
    expect(await people.update(ACME, { id: "0002" }, { age: 2 })).toBeDefined();
    expect(await people.remove(ACME, { id: "0002" })).toBe(true);
    await sizes.flush();
    expect(bytes()).toBe(2 * RECORD);
    await people.insert(ACME, person("0003"));
  });

  test("room that is made on one node is room on another, which is refused and writes nothing", async () => {
    await using bench = await open(RECORD);
    const { one, two } = bench;
    await one.people.insert(ACME, person("0000"));
    await one.sizes.flush();
    await expect(one.people.insert(ACME, person("0001"))).rejects.toMatchObject({
      refusal: { error: "quota_exceeded" },
    });
    await two.people.remove(ACME, { id: "0000" });
    await two.sizes.flush();
    await one.sizes.flush();
    expect((await one.people.insert(ACME, person("0001"))).written).toBe(true);
  });

  test("what two nodes write adds up, whichever writes it down first", async () => {
    await using bench = await open(undefined);
    const { one, two } = bench;
    for (let n = 0; n < 5; n++) {
      await one.people.insert(ACME, person(`1${n}00`));
      await two.people.insert(ACME, person(`2${n}00`));
      await Promise.all([one.sizes.flush(), two.sizes.flush()]);
    }
    await two.sizes.flush();
    expect(Math.max(one.bytes() ?? 0, two.bytes() ?? 0)).toBe(10 * RECORD);
  });

  test("faults 10: what could not be written down is the next time", async () => {
    await using bench = await open(undefined);
    const { accounts, store, bytes } = bench.one;
    const records = store.records(storeSizes);
    let isAway = true;
    const get: typeof records.get = (...args) =>
      isAway ? Promise.reject(new StoreUnavailable("away")) : records.get(...args);
    const insert: typeof records.insert = (...args) => records.insert(...args);
    const put: typeof records.put = (...args) => records.put(...args);
    accounts.of(ACME);
    const sweep: typeof records.sweep = (...args) => records.sweep(...args);
    const sizes = new StoreSizes({ accounts, records: { get, insert, put, sweep } });
    sizes.added(ACME, 7);
    await expect(sizes.flush()).rejects.toBeInstanceOf(StoreUnavailable);
    sizes.added(ACME, 5);
    isAway = false;
    await sizes.flush();
    await sizes.flush();
    expect(bytes()).toBe(12);
  });

  test("a recount sets right what changes and mean sizes got wrong", async () => {
    await using bench = await open(undefined);
    const { people, sizes, store, bytes } = bench.one;
    for (const id of ["0000", "0001"]) await people.insert(ACME, person(id));
    await people.insert(OTHER, person("0000"));
    await people.update(ACME, { id: "0001" }, { town: "x".repeat(500) });
    await sizes.flush();
    expect(bytes()).toBe(2 * RECORD);
    const collections = [...store.all()].filter(([name]) => !name.startsWith("usage"));
    await sizes.recount(
      collections.map(([, records]) => records),
      { sizeOf: sizeOfRecord, pause: async () => {} },
    );
    expect(bytes()).toBe(2 * RECORD + 400);
  });

  test("a recount finds that nothing is left, though whoever removed it died before it could be written down", async () => {
    await using bench = await open(RECORD);
    const { one, two } = bench;
    await one.people.insert(ACME, person("0000"));
    await one.sizes.flush();
    await two.people.remove(ACME, { id: "0000" });
    const collections = [...one.store.all()].filter(([name]) => !name.startsWith("usage"));
    await one.sizes.recount(
      collections.map(([, records]) => records),
      { sizeOf: sizeOfRecord, pause: async () => {} },
    );
    expect(one.bytes()).toBe(0);
    expect((await one.people.insert(ACME, person("0001"))).written).toBe(true);
  });
});

test("[P3] a tenant that asks for very much leaves room for the others", async () => {
  await using bench = await open(undefined);
  const { people } = bench.one;
  const asked = Array.from({ length: 100 }, (_, n) => people.get(ACME, { id: `${n}` }));
  const other = people.get(OTHER, { id: "0" });
  const outcomes = await Promise.allSettled(asked);
  expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBe(75);
  expect(await other).toBeUndefined();
  expect(bench.counters.storeOverShares).toBe(25);
  expect(await people.get(ACME, { id: "0" })).toBeUndefined();
});
