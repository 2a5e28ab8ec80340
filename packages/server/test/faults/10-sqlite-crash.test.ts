/** `kill -9` of a process with its SQLite open: what was acknowledged is there, and the file is whole. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { createSeededRandom, eventually } from "@aldis/testkit";
import type { PlanStep, StorePlan } from "../../src/store/plan.ts";
import { sqliteStore, temporaryFolder } from "../../src/store/sqlite/test/fresh-sqlite.ts";
import { ACME, LINES, line, PEOPLE, PLANS, person } from "../../src/store/test/bench.ts";
import { startChild } from "./support/child.ts";

const ROUNDS = 8;

function checkFile(path: string): void {
  using db = new Database(path);
  expect(db.prepare("PRAGMA integrity_check").values()).toEqual([["ok"]]);
}

test("P4, faults 10: kill -9 in the middle of writes, again and again: every acknowledged write is there, numbers are dense", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const random = createSeededRandom(Date.now());
  let acknowledged = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    await using child = startChild("append-forever.ts", [path]);
    const enough = 100 + random.between(0, 400);
    const told = () => child.text().split("\n").length;
    await eventually(`acknowledged writes of round ${round}`, () => told() > enough);
    await child.kill();
    const numbers = child.text().split("\n").slice(0, -1).map(Number);
    acknowledged = Math.max(acknowledged, ...numbers);
    const store = sqliteStore({ path });
    await store.open(PLANS);
    const found = new Set<number>();
    for (let above = 0; ; ) {
      const page = await store
        .records(LINES)
        .list(ACME, { index: "key", same: { log: "a" }, above, limit: 10_000 });
      for (const { n } of page) found.add(n);
      if (page.length === 0) break;
      above = page.at(-1)?.n ?? above;
    }
    await store.close();
    expect(numbers.filter((n) => !found.has(n))).toEqual([]);
    expect(Math.max(...found)).toBe(found.size);
    expect(found.size).toBeGreaterThanOrEqual(acknowledged);
    checkFile(path);
  }
});

test("faults 10: kill -9 in the middle of an upgrade: the next start finds the old or the new, whole", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const random = createSeededRandom(Date.now());
  const before = sqliteStore({ path });
  await before.open(PLANS);
  await Promise.all(
    Array.from({ length: 4_000 }, (_, i) =>
      before.records(PEOPLE).insert(ACME, person({ id: `p${i}`, age: i })),
    ),
  );
  await before.close();
  const [people, ...others] = PLANS;
  if (people === undefined) throw new Error("no plan");
  const steps: PlanStep[] = [...people.steps];
  const plans: readonly StorePlan[] = [{ ...people, steps }, ...others];
  for (let round = 1; round <= ROUNDS; round++) {
    for (const field of ["age", "town", "id"]) {
      const index = {
        fields: [field, "age", "town", "id"].filter((f, i) => i === 0 || f !== field),
      };
      steps.push({ step: "add-index", collection: PEOPLE.name, name: `i${round}${field}`, index });
    }
    await using child = startChild("open-plans.ts", [path, JSON.stringify(plans)]);
    await Promise.race([Bun.sleep(random.between(0, 250)), child.exited]);
    await child.kill();
    checkFile(path);
  }
  const after = sqliteStore({ path });
  await after.open(plans);
  await after.close();
  using db = new Database(path);
  expect(db.prepare(`SELECT count(*) FROM "test_people"`).values()).toEqual([[4_000]]);
  const indexes = db.prepare(`SELECT count(*) FROM sqlite_schema WHERE name LIKE 'test_people.i%'`);
  expect(indexes.values()).toEqual([[3 * ROUNDS]]);
});

test("P4: what was acknowledged before the store closes with much still waiting is there, and so is the rest", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "a.db");
  const store = sqliteStore({ path, batchMax: 10 });
  await store.open(PLANS);
  const all = Array.from({ length: 500 }, () => store.records(LINES).append(ACME, line({})));
  const closed = store.close();
  const late = store.records(LINES).append(ACME, line({}));
  expect(await late.catch((error: unknown) => error)).toMatchObject({ name: "StoreUnavailable" });
  await Promise.all(all);
  await closed;
  const again = sqliteStore({ path });
  await again.open(PLANS);
  const query = { index: "key", same: { log: "a" }, limit: 10_000 };
  expect(await again.records(LINES).count(ACME, query)).toBe(500);
  await again.close();
});
