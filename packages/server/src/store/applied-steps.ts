// How a database that knows which steps it has seen is compared with the plans of this version; the same for every kind of database.
import { createHash } from "node:crypto";
import { type CollectionShape, problemOf } from "./collection.ts";
import { type PlanStep, type StorePlan, shapesOf } from "./plan.ts";
import { StoreUnfit } from "./store.ts";

/** Tells a step from any other: the same for the same step in any version, whatever the order in which it was written down. */
export function fingerprintOf(step: PlanStep): string {
  return createHash("sha256").update(canonical(step)).digest("hex").slice(0, 32);
}

/**
 * The steps of a plan that a database has still to see. `applied` are the fingerprints of those that it has seen, oldest first. Throws {@link StoreUnfit}
 * if they are others, or more, than the plan has.
 */
export function stepsLeft(plan: StorePlan, applied: readonly string[]): readonly PlanStep[] {
  const { owner, steps } = plan;
  if (applied.length > steps.length) {
    throw new StoreUnfit(
      `the database is of a newer version: it has seen ${applied.length} steps of \`${owner}\`, and this version knows ${steps.length}. Start that version again, or restore a copy from before the upgrade`,
    );
  }
  const strange = applied.findIndex((fingerprint, place) => {
    const step = steps[place];
    return step === undefined || fingerprint !== fingerprintOf(step);
  });
  if (strange !== -1) {
    throw new StoreUnfit(
      `the database was set up by other plans: step ${strange + 1} of \`${owner}\` is not the one that this version knows. Start the version that made it, or name another database in store.url`,
    );
  }
  return steps.slice(applied.length);
}

/** All collections after all steps. Throws a `TypeError` for plans that contradict themselves or each other. */
export function collectionsOf(plans: readonly StorePlan[]): ReadonlyMap<string, CollectionShape> {
  const all = new Map<string, CollectionShape>();
  const owners = new Set<string>();
  for (const plan of plans) {
    if (owners.has(plan.owner)) throw new TypeError(`there are two plans of ${plan.owner}`);
    owners.add(plan.owner);
    for (const [name, shape] of shapesOf(plan)) {
      if (all.has(name))
        throw new TypeError(`${plan.owner}: there is a collection ${name} already`);
      all.set(name, shape);
    }
  }
  return all;
}

/**
 * The shape by which records of a collection are read and written: the one that the plans end with. Throws a `TypeError` for a collection that is in
 * no plan, or whose fields, key or indexes are others there.
 */
export function plannedShape(
  planned: ReadonlyMap<string, CollectionShape>,
  collection: CollectionShape,
): CollectionShape {
  const problem = problemOf(collection);
  if (problem !== undefined) throw new TypeError(`collection ${collection.name}: ${problem}`);
  const shape = planned.get(collection.name);
  if (shape === undefined) throw new TypeError(`${collection.name} is in no plan`);
  const { name, fields, key, indexes, counted } = collection;
  const asked = canonical({ name, fields, key, indexes, counted });
  const known = canonical({ ...shape, counted: shape.counted });
  if (asked !== known) throw new TypeError(`${name} is another one in its plan`);
  return shape;
}

/** JSON with the names of each object in order, and nothing for what is undefined. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
