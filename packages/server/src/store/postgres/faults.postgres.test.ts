import { afterAll, expect, test } from "bun:test";
import {
  createFakeClock,
  createSeededRandom,
  eventually,
  startPostgres,
  startTcpProxy,
} from "@aldis/testkit";
import { StoreUnavailable } from "../store-unavailable.ts";
import { ACME, LINES, line, PEOPLE, PLANS, person } from "../test/bench.ts";
import type { PostgresStore } from "./postgres-store.ts";
import { postgresStore, postgresTests } from "./test/fresh-postgres.ts";
import { startLoad } from "./test/load.ts";

const tests = postgresTests();
afterAll(() => tests[Symbol.asyncDispose]());

/** Faults that end on their own are over sooner, the other ones are found by this. */
const TIMEOUT_MS = 1_500;

async function opened(url: string): Promise<PostgresStore> {
  const store = postgresStore(url, { timeoutMs: TIMEOUT_MS });
  await store.open(PLANS);
  return store;
}

const well = (store: PostgresStore) => eventually("the store is well", () => store.isWell, 10_000);

test("faults 10: PostgreSQL is stopped for a while: writes and reads are refused at once, and all heals", async () => {
  await using postgres = await startPostgres();
  const store = await opened(await postgres.createDatabase());
  const lines = store.records(LINES);
  const load = startLoad(lines);
  await eventually("writes", () => load.acknowledged > 100);
  await postgres.stop();
  await eventually("the store says that it is away", () => !store.isWell);
  const before = load.refused;
  await eventually("writes are refused", () => load.refused > before + 100);
  await expect(lines.get(ACME, { log: "load", n: 1 })).rejects.toBeInstanceOf(StoreUnavailable);
  await postgres.start();
  await well(store);
  const then = load.acknowledged;
  await eventually("writes", () => load.acknowledged > then + 100);
  await load.stop();
  await load.check(lines);
  await store.close();
});

test("faults 10: a PostgreSQL that is frozen is found out in bounded time, and heals", async () => {
  await using postgres = await startPostgres();
  const store = await opened(await postgres.createDatabase());
  const lines = store.records(LINES);
  const load = startLoad(lines);
  await eventually("writes", () => load.acknowledged > 100);
  await postgres.pause();
  await eventually("the store says that it is away", () => !store.isWell);
  const before = load.refused;
  await eventually("writes are refused", () => load.refused > before + 100);
  postgres.resume();
  await well(store);
  const then = load.acknowledged;
  await eventually("writes", () => load.acknowledged > then + 100);
  await load.stop();
  await load.check(lines);
  await store.close();
});

test("faults 10: PostgreSQL is killed amid writes, again and again: what was acknowledged is there, once", async () => {
  await using postgres = await startPostgres();
  const url = await postgres.createDatabase();
  const stores = [await opened(url), await opened(url)] as const;
  const loads = stores.map((store) => startLoad(store.records(LINES)));
  for (let round = 0; round < 3; round++) {
    const then = loads.map((load) => load.acknowledged);
    await eventually("writes", () =>
      loads.every((load, n) => load.acknowledged > (then[n] ?? 0) + 200),
    );
    await postgres.kill();
    await postgres.start();
    for (const store of stores) await well(store);
  }
  for (const load of loads) await load.stop();
  for (const load of loads) await load.check(stores[0].records(LINES));
  for (const store of stores) await store.close();
});

test("faults 10: connections that are cut at any moment lose nothing that was acknowledged", async () => {
  const database = await tests.fresh();
  const { port } = await tests.server();
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = createSeededRandom(seed);
  await using proxy = startTcpProxy(port);
  const store = await opened(database.url.replace(`:${port}/`, `:${proxy.port}/`));
  const lines = store.records(LINES);
  const load = startLoad(lines);
  let cuts = 0;
  while (cuts < 60) {
    const then = load.acknowledged;
    cuts += proxy.cutSome(0.5, random);
    await eventually(`writes, seed ${seed}`, () => load.acknowledged > then + 3);
  }
  await load.stop();
  await load.check(lines);
  await well(store);
  await store.close();
});

test("faults 8: a connection that is silently dead is given up when its time is over", async () => {
  const database = await tests.fresh();
  const { port } = await tests.server();
  await using proxy = startTcpProxy(port);
  const store = await opened(database.url.replace(`:${port}/`, `:${proxy.port}/`));
  const people = store.records(PEOPLE);
  proxy.frozen = true;
  await expect(people.insert(ACME, person({ id: "ann" }))).rejects.toBeInstanceOf(StoreUnavailable);
  proxy.frozen = false;
  await well(store);
  expect((await people.insert(ACME, person({ id: "bob" }))).written).toBe(true);
  await store.close();
});

test("a server that takes no more connections is served with those that there are", async () => {
  const settings = { max_connections: "6", superuser_reserved_connections: "0" };
  await using postgres = await startPostgres({ settings });
  const url = await postgres.createDatabase();
  const stores = [await opened(url), await opened(url)];
  const loads = stores.map((store) => startLoad(store.records(LINES)));
  await eventually("writes", () => loads.every((load) => load.acknowledged > 300));
  expect(stores.map(({ isWell }) => isWell)).toEqual([true, true]);
  for (const load of loads) await load.stop();
  for (const load of loads) await load.check(stores[0]?.records(LINES) as never);
  for (const store of stores) await store.close();
});

test("a server that has become a copy of another is away until it takes writes", async () => {
  const database = await tests.fresh();
  const server = await tests.server();
  const name = new URL(database.url).pathname.slice(1);
  const store = await opened(database.url);
  const people = store.records(PEOPLE);
  await server.psql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  const kick = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`;
  await server.psql(kick);
  await eventually("the store says that it is away", () => !store.isWell);
  await expect(people.insert(ACME, person({ id: "ann" }))).rejects.toBeInstanceOf(StoreUnavailable);
  await server.psql(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
  await well(store);
  expect((await people.insert(ACME, person({ id: "ann" }))).written).toBe(true);
  await store.close();
});

test("a value that the server does not take is refused alone", async () => {
  const database = await tests.fresh();
  const store = await opened(database.url);
  const people = store.records(PEOPLE);
  const server = await tests.server();
  const name = new URL(database.url).pathname.slice(1);
  await server.psql("ALTER TABLE aldis_test_people ADD CHECK (age <> 13)", name);
  const outcomes = await Promise.allSettled(
    Array.from({ length: 40 }, (_, n) => people.insert(ACME, person({ id: `p${n}`, age: n }))),
  );
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(39);
  const poison = outcomes[13];
  expect(poison?.status === "rejected" && poison.reason).toBeInstanceOf(TypeError);
  expect(await people.count(ACME, { index: "key", limit: 100 })).toBe(39);
  await store.close();
});

test("connections that nobody needs any more are closed", async () => {
  const clock = createFakeClock();
  // By this clock no answer is late.
  const database = await tests.fresh({ clock, timeoutMs: 600_000 });
  const server = await tests.server();
  const name = new URL(database.url).pathname.slice(1);
  const count = `SELECT count(*) FROM pg_stat_activity WHERE datname = '${name}'`;
  const store = database.connect();
  await store.open(PLANS);
  const people = store.records(PEOPLE);
  const get = () => people.get(ACME, { id: "ann" });
  await Promise.all(Array.from({ length: 50 }, get));
  expect(await server.psql(count)).toBe("5");
  for (let second = 0; second < 70; second++) {
    clock.advance(1_000);
    await get();
  }
  await eventually("one that works, and one that tries", async () => {
    return (await server.psql(count)) === "2";
  });
  expect(store.isWell).toBe(true);
  await database[Symbol.asyncDispose]();
});

test("what waits is bounded: more is refused at once, and there is room again", async () => {
  const database = await tests.fresh({ waitingMax: 10 });
  const store = database.connect();
  await store.open(PLANS);
  const lines = store.records(LINES);
  const all = (count: number) =>
    Promise.allSettled(Array.from({ length: count }, () => lines.append(ACME, line({}))));
  const refused = (await all(50)).filter(({ status }) => status === "rejected");
  expect(refused).toHaveLength(40);
  expect((await all(10)).every(({ status }) => status === "fulfilled")).toBe(true);
  await database[Symbol.asyncDispose]();
});
