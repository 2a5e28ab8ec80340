// How a database comes to have its collections and indexes. What a step does may be done again, so that one that was cut short is repeated as a whole.
import type { Collection, Db, Document } from "mongodb";
import type { Clock } from "../../time/clock.ts";
import { fingerprintOf, stepsLeft } from "../applied-steps.ts";
import type { PlanStep, StorePlan } from "../plan.ts";
import { shapesOf } from "../plan.ts";
import { collectionName, indexesOf, indexOf, STEPS } from "./documents.ts";
import type { Lease } from "./lease.ts";
import { holdLease } from "./lease.ts";

type Step = { _id: string; owner: string; place: number; fingerprint: string };

export type MigrateDeps = {
  readonly clock: Clock;
  /** Unlike any other node's. */
  readonly holder: string;
  /** Nobody waits for it any more. */
  readonly isOver: () => boolean;
};

/** Takes the steps that the database has not seen, one node at a time. Rejects with `StoreUnfit`, or with what the driver says. */
export async function migrate(
  deps: MigrateDeps,
  database: Db,
  plans: readonly StorePlan[],
): Promise<void> {
  const steps = database.collection<Step>(STEPS);
  await using lease = await holdLease(deps, database);
  for (const plan of plans) {
    const applied = await appliedOf(steps, plan.owner);
    for (const [place, step] of stepsLeft(plan, applied).entries()) {
      await lease.check();
      await take(database, plan, step);
      await note(steps, { lease, plan, place: applied.length + place, step });
    }
  }
}

/** Whether there is anything to do. Rejects as {@link migrate} does. */
export async function hasStepsLeft(database: Db, plans: readonly StorePlan[]): Promise<boolean> {
  const steps = database.collection<Step>(STEPS);
  for (const plan of plans) {
    if (stepsLeft(plan, await appliedOf(steps, plan.owner)).length > 0) return true;
  }
  return false;
}

async function appliedOf(steps: Collection<Step>, owner: string): Promise<string[]> {
  const found = await steps.find({ owner: { $eq: owner } }, { sort: { place: 1 } }).toArray();
  return found.map(({ fingerprint }) => fingerprint);
}

type Noted = {
  readonly lease: Lease;
  readonly plan: StorePlan;
  readonly place: number;
  readonly step: PlanStep;
};

async function note(steps: Collection<Step>, { lease, plan, place, step }: Noted): Promise<void> {
  await lease.check();
  const { owner } = plan;
  const _id = `${owner} ${place}`;
  await steps.insertOne({ _id, owner, place, fingerprint: fingerprintOf(step) });
}

async function take(database: Db, plan: StorePlan, step: PlanStep): Promise<void> {
  switch (step.step) {
    case "create":
      for (const index of indexesOf(step.collection)) {
        await database.collection(collectionName(step.collection)).createIndexes([index]);
      }
      return;
    case "add-fields":
      // A document is without a field until it has one.
      return;
    case "add-index": {
      const shape = shapesOf(upTo(plan, step)).get(step.collection);
      if (shape === undefined) throw new Error(`there is no ${step.collection}`);
      await database
        .collection(collectionName({ name: step.collection }))
        .createIndexes([indexOf(shape, step.name)]);
      return;
    }
    case "drop-index":
      await dropIndex(database.collection(collectionName({ name: step.collection })), step.name);
      return;
    default:
      return step satisfies never;
  }
}

/** A plan that ends with this step. */
function upTo({ owner, steps }: StorePlan, last: PlanStep): StorePlan {
  return { owner, steps: steps.slice(0, steps.indexOf(last) + 1) };
}

const INDEX_NOT_FOUND = 27;

async function dropIndex(collection: Collection<Document>, name: string): Promise<void> {
  try {
    await collection.dropIndex(name);
  } catch (error) {
    // Cut short behind it, the last time.
    if ((error as { readonly code?: unknown }).code !== INDEX_NOT_FOUND) throw error;
  }
}
