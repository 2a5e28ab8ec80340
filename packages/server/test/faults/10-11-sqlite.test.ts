/** What a gateway does while its SQLite is locked, full, or no database at all. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, startTestGateway, type TestGateway } from "@aldis/testkit";
import {
  action,
  createAll,
  defineCollection,
  definePlugin,
  integer,
  json,
  text,
  z,
} from "../../src/plugins/index.ts";
import { sqliteStore, temporaryFolder } from "../../src/store/sqlite/test/fresh-sqlite.ts";
import { StoreUnfit } from "../../src/store/store.ts";
import { ACME, LINES, line, PEOPLE, PLANS, person } from "../../src/store/test/bench.ts";
import { startChild } from "./support/child.ts";

const notes = defineCollection({
  name: "keeper_notes",
  fields: { log: text(), n: integer(), body: json<string>() },
  key: ["log", "n"],
  counted: "n",
  indexes: {},
});

/** Keeps what it is told, and says how much it has. */
const keeper = definePlugin({
  name: "keeper",
  store: createAll("keeper", [notes]),
  actions: {
    keep: action({
      input: z.object({ body: z.string() }),
      async run({ session, input: { body } }, { records }) {
        const { record } = await records(notes).append(session.identity.tenant, {
          log: "a",
          n: 0,
          body,
        });
        return { n: record.n };
      },
    }),
    kept: action({
      input: z.object({}),
      async run({ session }, { records }) {
        const query = { index: "key", same: { log: "a" }, limit: 10_000 };
        return { count: await records(notes).count(session.identity.tenant, query) };
      },
    }),
  },
});

async function waitsFor(gateway: TestGateway): Promise<unknown> {
  const response = await fetch(`${gateway.gateway.url}/health/ready`);
  return ((await response.json()) as { waitsFor?: unknown }).waitsFor ?? [];
}

test("faults 10: another process holds SQLite's lock: writes are refused in time, reads and live traffic go on, it heals by itself", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const config = { store: { url: `sqlite:${path}`, timeoutMs: 600 } };
  await using gateway = await startTestGateway({ plugins: [keeper], config });
  const ann = await gateway.connect();
  const bob = await gateway.connect({ user: "bob" });
  await bob.must("subscribe", { channel: "chat:lobby" });
  for (let n = 1; n <= 5; n++) expect(await ann.must("keep", { body: "x" })).toEqual({ n });
  {
    await using holder = startChild("hold-lock.ts", [path]);
    await eventually("the lock to be held", () => holder.text().includes("held"));
    const refusals = await Promise.all(
      Array.from({ length: 20 }, () => ann.refused("keep", { body: "y" })),
    );
    for (const { code, temporary } of refusals) {
      expect([code, temporary]).toEqual(["unavailable", true]);
    }
    expect(await ann.must("kept", {})).toEqual({ count: 5 });
    await ann.must("publish", { channel: "chat:lobby", data: 1 });
    await bob.next("message");
    expect(await waitsFor(gateway)).toEqual(["store"]);
  }
  await eventually("the gateway to be ready again", () => gateway.gateway.ready);
  const { n } = (await ann.must("keep", { body: "z" })) as { n: number };
  // Refused ones may have been written or not; those that were acknowledged have their numbers.
  expect(n).toBeGreaterThan(5);
  expect(await ann.must("kept", {})).toEqual({ count: n });
  expect(gateway.gateway.counters.storeUnavailable["write"]).toBeGreaterThanOrEqual(20);
  const told = gateway.logged.filter((entry) => entry.includes("the store is"));
  expect(
    told.some((entry) => entry.includes("the store is away") && entry.includes("SQLITE_BUSY")),
  ).toBe(true);
  expect(told.some((entry) => entry.includes("the store is back"))).toBe(true);
});

const mayMount = process.getuid?.() === 0 && Bun.spawnSync(["which", "mount"]).exitCode === 0;

/** A disk of a few megabytes. */
function smallDisk(path: string): Disposable {
  mkdirSync(path);
  const run = (...command: string[]) => Bun.spawnSync(command).exitCode === 0;
  if (!run("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", path)) throw new Error("no mount");
  return { [Symbol.dispose]: () => void run("umount", "-l", path) };
}

test.skipIf(!mayMount)(
  "faults 11: the disk is full: writes are refused, nothing acknowledged is lost or broken, reads and live traffic go on, it heals when there is room (mounts a small disk, as root alone may)",
  async () => {
    using folder = temporaryFolder();
    const disk = join(folder.path, "disk");
    using _mounted = smallDisk(disk);
    const path = join(disk, "a.db");
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, new Uint8Array(1_000_000));
    const config = { store: { url: `sqlite:${path}` } };
    let kept = 0;
    {
      await using gateway = await startTestGateway({ plugins: [keeper], config });
      const ann = await gateway.connect();
      const bob = await gateway.connect({ user: "bob" });
      await bob.must("subscribe", { channel: "chat:lobby" });
      const body = "x".repeat(20_000);
      let refused: { code: string; temporary: boolean } | undefined;
      while (refused === undefined) {
        const reply = await ann.ask("keep", { body });
        if (reply.action === "error") refused = reply.data as typeof refused;
        else kept = (reply.data as { n: number }).n;
        if (kept > 1_000) throw new Error("the disk is never full");
      }
      expect(refused).toMatchObject({ code: "unavailable", temporary: true });
      expect(kept).toBeGreaterThan(10);
      expect(await ann.must("kept", {})).toEqual({ count: kept });
      await ann.must("publish", { channel: "chat:lobby", data: 1 });
      await bob.next("message");
      expect(gateway.logged.join()).toContain("SQLITE_FULL");
      Bun.spawnSync(["rm", ballast]);
      expect(statfsSync(disk).bfree).toBeGreaterThan(0);
      await eventually("the gateway to be ready again", () => gateway.gateway.ready);
      for (let more = 0; more < 5; more++) {
        const { n } = (await ann.must("keep", { body })) as { n: number };
        expect(n).toBeGreaterThan(kept);
        kept = n;
      }
      expect(await ann.must("kept", {})).toEqual({ count: kept });
    }
    using db = new Database(path);
    expect(db.prepare("PRAGMA integrity_check").values()).toEqual([["ok"]]);
    expect(db.prepare("SELECT count(*) FROM keeper_notes").values()).toEqual([[kept]]);
  },
);

async function unfitness(path: string): Promise<string> {
  const store = sqliteStore({ path });
  const outcome = await store.open(PLANS).catch((error: unknown) => error);
  await store.close();
  expect(outcome).toBeInstanceOf(StoreUnfit);
  return (outcome as Error).message;
}

test("faults 10: what is no database of ours, and where none can be, is told with its place, and left as it is", async () => {
  using folder = temporaryFolder();
  const inside = (name: string) => join(folder.path, name);
  for (const path of [folder.path, inside("missing/a.db"), "/proc/a.db"]) {
    const message = await unfitness(path);
    expect(message).toContain(path);
    expect(message).toContain("may this user write there");
  }
  writeFileSync(inside("text.db"), "This is a text, and no database at all. ".repeat(200));
  expect(await unfitness(inside("text.db"))).toContain("is not a database");
  {
    using foreign = new Database(inside("foreign.db"));
    foreign.run("CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner TEXT)");
  }
  const before = readFileSync(inside("foreign.db"));
  expect(await unfitness(inside("foreign.db"))).toContain("something else");
  expect(readFileSync(inside("foreign.db")).equals(before)).toBe(true);
});

test.skipIf(process.getuid?.() === 0)(
  "faults 10: a file that may not be written to is told (not as root, who may)",
  async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, "a.db");
    const store = sqliteStore({ path });
    await store.open(PLANS);
    await store.close();
    chmodSync(path, 0o400);
    chmodSync(folder.path, 0o500);
    try {
      expect(await unfitness(path)).toContain("may this user write there");
    } finally {
      chmodSync(folder.path, 0o700);
    }
  },
);

test("faults 11: pages of the file are broken: what needs them is unavailable, the rest and the process go on", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const before = sqliteStore({ path });
  await before.open(PLANS);
  await before.records(PEOPLE).insert(ACME, person({ id: "ann" }));
  for (let i = 0; i < 300; i++) {
    void before.records(LINES).append(ACME, line({ body: "x".repeat(500) }));
  }
  await before.close();
  const bytes = readFileSync(path);
  // Behind the schema, the steps and the people: the leaves of the log.
  bytes.fill(0xff, Math.floor(bytes.length / 2));
  writeFileSync(path, bytes);
  const lines: string[] = [];
  await using store = disposable(sqliteStore({ path, onLog: (entry) => lines.push(entry) }));
  await store.open(PLANS);
  const all = { index: "key", same: { log: "a" }, limit: 10_000 };
  const outcome = await store
    .records(LINES)
    .list(ACME, all)
    .catch((error: unknown) => error);
  expect(outcome).toMatchObject({ name: "StoreUnavailable" });
  expect(store.isWell).toBe(false);
  expect(lines.join()).toContain("SQLITE_CORRUPT");
  expect(await store.records(PEOPLE).get(ACME, { id: "ann" })).toMatchObject({ id: "ann" });
});

function disposable<T extends { close(): Promise<void> }>(store: T): T & AsyncDisposable {
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}
