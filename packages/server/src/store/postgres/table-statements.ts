// The steps of a plan as SQL.
import type { CollectionShape, FieldShape, IndexShape } from "../collection.ts";
import type { PlanStep } from "../plan.ts";
import { columnOf, indexOf, TENANT, tableOf, typeOf } from "./names.ts";

/** Which steps of which plan the database has seen; no collection can be called so. */
export const STEPS_TABLE = `"aldis__steps"`;

export const CREATE_STEPS = `CREATE TABLE IF NOT EXISTS ${STEPS_TABLE} (
  owner text COLLATE "C" NOT NULL,
  place integer NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (owner, place)
)`;

/** `shape` is that of the collection after the step. */
export function stepStatements(step: PlanStep, shape: CollectionShape): string[] {
  switch (step.step) {
    case "create":
      return createStatements(step.collection);
    case "add-fields":
      return Object.entries(step.fields).map(
        ([name, field]) =>
          `ALTER TABLE ${tableOf(step.collection)} ADD COLUMN ${column(name, field)}`,
      );
    case "add-index":
      return [indexStatement(shape, step.name, step.index)];
    case "drop-index":
      return [`DROP INDEX ${indexOf(step.collection, step.name)}`];
    default:
      return step satisfies never;
  }
}

function createStatements(shape: CollectionShape): string[] {
  const columns = Object.entries(shape.fields).map(([name, field]) => column(name, field));
  const key = [TENANT, ...shape.key.map(columnOf)].join(", ");
  return [
    `CREATE TABLE ${tableOf(shape.name)} (${TENANT} text COLLATE "C" NOT NULL, ${columns.join(", ")}, PRIMARY KEY (${key}))`,
    ...Object.entries(shape.indexes).map(([name, index]) => indexStatement(shape, name, index)),
  ];
}

function column(name: string, field: FieldShape): string {
  return `${columnOf(name)} ${typeOf(field)}${field.optional ? "" : " NOT NULL"}`;
}

/** What is not unique has the rest of the key behind it, in whose order equal ones are asked for. */
function indexStatement(
  { name, fields, key }: CollectionShape,
  index: string,
  { fields: indexed, unique = false }: IndexShape,
): string {
  const rest = unique ? [] : key.filter((field) => !indexed.includes(field));
  const columns = [TENANT, ...[...indexed, ...rest].map(columnOf)].join(", ");
  const present = indexed
    .filter((field) => fields[field]?.optional)
    .map((field) => `${columnOf(field)} IS NOT NULL`);
  const where = present.length === 0 ? "" : ` WHERE ${present.join(" AND ")}`;
  return `CREATE ${unique ? "UNIQUE " : ""}INDEX ${indexOf(name, index)} ON ${tableOf(name)} (${columns})${where}`;
}
