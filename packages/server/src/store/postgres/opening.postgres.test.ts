import { afterAll, expect, test } from "bun:test";
import { eventually, makeCertificates, POSTGRES_PASSWORD, startPostgres } from "@aldis/testkit";
import { StoreUnfit } from "../store.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { ACME, LINES, line, PEOPLE, PLANS, person } from "../test/bench.ts";
import { postgresStore, postgresTests } from "./test/fresh-postgres.ts";

const tests = postgresTests();
afterAll(() => tests[Symbol.asyncDispose]());

/** What opening it is refused with. */
async function unfit(url: string): Promise<string> {
  const lines: string[] = [];
  const store = postgresStore(url, { onLog: (text) => lines.push(text) });
  const error = await store.open(PLANS).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  await store.close();
  expect(error).toBeInstanceOf(StoreUnfit);
  const told = (error as StoreUnfit).message;
  for (const text of [told, ...lines]) expect(text).not.toContain("hunter2");
  return told;
}

async function works(url: string): Promise<void> {
  const store = postgresStore(url);
  await store.open(PLANS);
  const people = store.records(PEOPLE);
  await people.insert(ACME, person({ id: "ann" }));
  expect((await people.update(ACME, { id: "ann" }, { age: 31 }))?.age).toBe(31);
  const lines = store.records(LINES);
  const both = await Promise.all([lines.append(ACME, line({})), lines.append(ACME, line({}))]);
  expect(both.map(({ record }) => record.n)).toEqual([1, 2]);
  await store.close();
}

test("faults 10: a server that is not there yet is waited for; until then all is refused", async () => {
  await using postgres = await startPostgres();
  const url = await postgres.createDatabase();
  await postgres.stop();
  const store = postgresStore(url, { timeoutMs: 1_500 });
  const opening = store.open(PLANS);
  const people = store.records(PEOPLE);
  await expect(people.insert(ACME, person({ id: "ann" }))).rejects.toBeInstanceOf(StoreUnavailable);
  expect(store.isWell).toBe(false);
  await postgres.start();
  await opening;
  await eventually("it is well", () => store.isWell);
  expect((await people.insert(ACME, person({ id: "ann" }))).written).toBe(true);
  await store.close();
});

test("a store that is closed before its server was there ends its opening", async () => {
  await using postgres = await startPostgres();
  const url = await postgres.createDatabase();
  await postgres.stop();
  const store = postgresStore(url);
  const opening = store.open(PLANS);
  await store.close();
  await expect(opening).rejects.toBeInstanceOf(StoreUnavailable);
});

test("P7: what no waiting would help with is told at start, without the password", async () => {
  const { url } = await tests.fresh();
  const password = encodeURIComponent(POSTGRES_PASSWORD);
  expect(await unfit(url.replace(password, "hunter2"))).toContain("password authentication failed");
  expect(await unfit(url.replace(/test_\d+$/, "nothing"))).toContain("does not exist; make it");
  const server = await tests.server();
  await server.psql("CREATE ROLE guest LOGIN PASSWORD 'hunter2'");
  const guest = url.replace(`aldis:${password}`, "guest:hunter2");
  expect(await unfit(guest)).toContain("permission denied");
  expect(await unfit(`${url}?sslmode=require`)).toContain("turn on `ssl`");
  expect(await unfit(`${url}?schema=nothing`)).toContain("CREATE SCHEMA");
});

test("a user needs no more than a schema of its own", async () => {
  const { url } = await tests.fresh();
  const server = await tests.server();
  const database = new URL(url).pathname.slice(1);
  await server.psql("CREATE ROLE live LOGIN PASSWORD 'x'");
  await server.psql("CREATE SCHEMA live AUTHORIZATION live", database);
  await works(`postgres://live:x@127.0.0.1:${server.port}/${database}?schema=live`);
  const owned = await server.psql(
    "SELECT count(*) FROM pg_tables WHERE schemaname = 'live'",
    database,
  );
  expect(owned).toBe("3");
});

test("nothing is prepared and no setting made for a pooler that gives each transaction another connection", async () => {
  const { url } = await tests.fresh();
  await works(`${url}?prepare=false`);
});

test("with TLS, by the CA that is named, and not by another", async () => {
  using certificates = makeCertificates();
  using others = makeCertificates();
  await using postgres = await startPostgres({ tls: certificates });
  for (const mode of ["disable", "prefer", "require"]) {
    await works(`${await postgres.createDatabase()}?sslmode=${mode}`);
  }
  const url = await postgres.createDatabase();
  await works(`${url}?sslmode=verify-full&sslrootcert=${certificates.caFile}`);
  expect(await unfit(`${url}?sslmode=verify-full&sslrootcert=${others.caFile}`)).toBeTruthy();
  expect(await unfit(`${url}?sslmode=verify-full`)).toBeTruthy();
  expect(await unfit(`${url}?sslmode=verify-full&sslrootcert=/nothing`)).toContain("sslrootcert");
});
