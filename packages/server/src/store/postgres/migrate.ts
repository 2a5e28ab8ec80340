// Sets the tables up, and brings older ones up to date.
import { fingerprintOf, stepsLeft } from "../applied-steps.ts";
import type { CollectionShape } from "../collection.ts";
import type { StorePlan } from "../plan.ts";
import type { Value } from "../row.ts";
import type { Link, Rows } from "./link.ts";
import { CREATE_STEPS, STEPS_TABLE, stepStatements } from "./table-statements.ts";
import { lockStatement } from "./write-statements.ts";

/** An index over much takes its time, and others wait for who makes it. A server that is gone meanwhile is found by trying it. */
const LIMIT_MS = 6 * 3_600_000;
const LOCK = "aldis migration";

/**
 * Does what `plans` have more than the database has seen, in one transaction, under a lock that holds over all nodes: all of it, or nothing. `shapes` are those
 * of the collections after all steps. Throws `StoreUnfit` for a database of other or newer plans. Returns how many steps it did.
 */
export async function migrate(
  link: Link,
  plans: readonly StorePlan[],
  shapes: ReadonlyMap<string, CollectionShape>,
): Promise<number> {
  const ask = async (text: string, values: readonly Value[] = []): Promise<Rows> => {
    const [rows] = await link.run([{ text, values }], LIMIT_MS);
    return rows ?? [];
  };
  await ask("BEGIN ISOLATION LEVEL READ COMMITTED");
  try {
    await ask("SET LOCAL statement_timeout = 0");
    await ask("SET LOCAL idle_in_transaction_session_timeout = 0");
    const { text, values } = lockStatement([LOCK]);
    await ask(text, values);
    let done = 0;
    // Making it if it is not there takes rights that who only uses it need not have.
    if (!(await isThere(ask))) await ask(CREATE_STEPS);
    for (const plan of plans) done += await apply(ask, plan, shapes);
    await ask("COMMIT");
    return done;
  } catch (error) {
    // With the connection everything that was not committed goes.
    link.close();
    throw error;
  }
}

type Ask = (text: string, values?: readonly Value[]) => Promise<Rows>;

async function isThere(ask: Ask): Promise<boolean> {
  const [row] = await ask("SELECT to_regclass($1::text) IS NOT NULL", [STEPS_TABLE]);
  return row?.[0] === true;
}

async function apply(
  ask: Ask,
  plan: StorePlan,
  shapes: ReadonlyMap<string, CollectionShape>,
): Promise<number> {
  const seen = await ask(
    `SELECT fingerprint FROM ${STEPS_TABLE} WHERE owner = $1::text ORDER BY place`,
    [plan.owner],
  );
  const left = stepsLeft(
    plan,
    seen.map(([fingerprint]) => String(fingerprint)),
  );
  for (const [n, step] of left.entries()) {
    const name = step.step === "create" ? step.collection.name : step.collection;
    const shape = shapes.get(name);
    if (shape === undefined) throw new TypeError(`${name} is in no plan`);
    for (const statement of stepStatements(step, shape)) await ask(statement);
    await ask(`INSERT INTO ${STEPS_TABLE} VALUES ($1::text, $2::integer, $3::text, now())`, [
      plan.owner,
      String(seen.length + n + 1),
      fingerprintOf(step),
    ]);
  }
  return left.length;
}
