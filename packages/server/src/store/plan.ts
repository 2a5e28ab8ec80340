// How a database comes to have the collections that a plugin keeps its records in, from nothing or from any older version.
import { type CollectionShape, type FieldShape, type IndexShape, problemOf } from "./collection.ts";

/** One change that goes forward. Steps are only ever added to a plan: a database knows how many of them it has seen. */
export type PlanStep =
  | { readonly step: "create"; readonly collection: CollectionShape }
  /** Optional ones: older records are without them. */
  | {
      readonly step: "add-fields";
      readonly collection: string;
      readonly fields: Readonly<Record<string, FieldShape>>;
    }
  | {
      readonly step: "add-index";
      readonly collection: string;
      readonly name: string;
      readonly index: IndexShape;
    }
  | { readonly step: "drop-index"; readonly collection: string; readonly name: string };

/** All steps of one plugin, oldest first. */
export type StorePlan = {
  /** The plugin's name. */
  readonly owner: string;
  readonly steps: readonly PlanStep[];
};

/** A plan without a past. */
export function createAll(owner: string, collections: readonly CollectionShape[]): StorePlan {
  return { owner, steps: collections.map((collection) => ({ step: "create", collection })) };
}

/** The collections as they look after all steps. Throws a `TypeError` for a plan that contradicts itself. */
export function shapesOf({ owner, steps }: StorePlan): ReadonlyMap<string, CollectionShape> {
  const shapes = new Map<string, CollectionShape>();
  for (const [place, step] of steps.entries()) {
    const shape = shapeAfter(shapes, step);
    const problem = typeof shape === "string" ? shape : problemOf(shape);
    if (problem !== undefined)
      throw new TypeError(`plan of ${owner}, step ${place + 1}: ${problem}`);
    if (typeof shape !== "string") shapes.set(shape.name, shape);
  }
  return shapes;
}

/** The shape that a step makes, or what is wrong with it. */
function shapeAfter(
  shapes: ReadonlyMap<string, CollectionShape>,
  step: PlanStep,
): CollectionShape | string {
  if (step.step === "create") {
    const { collection } = step;
    return shapes.has(collection.name) ? `${collection.name} is there already` : collection;
  }
  const shape = shapes.get(step.collection);
  if (shape === undefined) return `there is no ${step.collection}`;
  switch (step.step) {
    case "add-fields":
      return withFields(shape, step.fields);
    case "add-index":
      if (step.name in shape.indexes) return `there is an index ${step.name} already`;
      return { ...shape, indexes: { ...shape.indexes, [step.name]: step.index } };
    case "drop-index": {
      const { [step.name]: dropped, ...indexes } = shape.indexes;
      return dropped === undefined ? `there is no index ${step.name}` : { ...shape, indexes };
    }
    default:
      return step satisfies never;
  }
}

function withFields(
  shape: CollectionShape,
  fields: Readonly<Record<string, FieldShape>>,
): CollectionShape | string {
  for (const [name, field] of Object.entries(fields)) {
    if (name in shape.fields) return `there is a field ${name} already`;
    if (!field.optional) return `${name} has to be optional: older records are without it`;
  }
  return { ...shape, fields: { ...shape.fields, ...fields } };
}
