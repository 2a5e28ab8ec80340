import type { Database } from "bun:sqlite";
import { collectionsOf, fingerprintOf, stepsLeft } from "../applied-steps.ts";
import type { CollectionShape } from "../collection.ts";
import type { PlanStep, StorePlan } from "../plan.ts";
import { askOnce } from "./ask-once.ts";
import { columnOf, createIndex, createTable, indexName, quoted } from "./sql.ts";

const STEPS = `CREATE TABLE IF NOT EXISTS "aldis_steps" ("owner" TEXT NOT NULL, "place" INTEGER NOT NULL, "fingerprint" TEXT NOT NULL, PRIMARY KEY ("owner", "place")) STRICT, WITHOUT ROWID`;

const APPLIED = `SELECT "fingerprint" FROM "aldis_steps" WHERE "owner" = ? ORDER BY "place"`;
const NOTE = `INSERT INTO "aldis_steps" VALUES (?, ?, ?)`;

/** Written to when the store had failed, to see whether it is well again. */
const PROBE = `CREATE TABLE IF NOT EXISTS "aldis_probe" ("id" INTEGER PRIMARY KEY, "value" INTEGER NOT NULL) STRICT`;

/**
 * Brings the database up to date, all of it or nothing, while no other process may write. Throws a `StoreUnfit` when the database is of another or a
 * newer version.
 */
export function migrate(db: Database, plans: readonly StorePlan[]): void {
  const shapes = collectionsOf(plans);
  db.run("BEGIN IMMEDIATE");
  try {
    db.run(STEPS);
    db.run(PROBE);
    for (const plan of plans) applySteps(db, plan, shapes);
    db.run("COMMIT");
  } catch (error) {
    if (db.inTransaction) db.run("ROLLBACK");
    throw error;
  }
}

function applySteps(
  db: Database,
  plan: StorePlan,
  shapes: ReadonlyMap<string, CollectionShape>,
): void {
  const applied = askOnce(db, APPLIED, plan.owner).map(([fingerprint]) => String(fingerprint));
  for (const [more, step] of stepsLeft(plan, applied).entries()) {
    for (const sql of statementsOf(step, shapes)) db.run(sql);
    askOnce(db, NOTE, plan.owner, applied.length + more, fingerprintOf(step));
  }
}

function statementsOf(step: PlanStep, shapes: ReadonlyMap<string, CollectionShape>): string[] {
  switch (step.step) {
    case "create": {
      const { collection } = step;
      const indexes = Object.entries(collection.indexes);
      return [
        createTable(collection),
        ...indexes.map(([name, index]) => createIndex(collection, name, index)),
      ];
    }
    case "add-fields":
      return Object.entries(step.fields).map(
        ([name, field]) =>
          `ALTER TABLE ${quoted(step.collection)} ADD COLUMN ${columnOf(name, field)}`,
      );
    case "add-index": {
      // What a field is like never changes, so that the shape after all steps will do.
      const shape = shapes.get(step.collection);
      return shape === undefined ? [] : [createIndex(shape, step.name, step.index)];
    }
    case "drop-index":
      return [`DROP INDEX ${indexName(step.collection, step.name)}`];
    default:
      return step satisfies never;
  }
}
