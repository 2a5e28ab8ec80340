// What every receiver may rely on, whatever dies: written down from the receiver's side alone.
import { expect, test } from "bun:test";
import { createSeededRandom } from "@aldis/testkit";
import type { FreshDatabase } from "../../store/test/bench.ts";
import { living, pass, runOne } from "./passing.ts";
import { answered, Receiver } from "./receiver.ts";
import { ACME, createWorld, type TestNode, type World } from "./world.ts";

export type OpenDatabase = () => Promise<FreshDatabase>;

const DAY_MS = 86_400_000;
const CONFIG = {
  lookMs: DAY_MS,
  batchMs: 0,
  batchMax: 3,
  rejectedAttempts: 2,
  backoffMaxMs: 60_000,
};

/**
 * All of `acknowledged` came, in the order of their numbers and without gaps; what came more than once came as the same request again. Those of `refused` may have come in several
 * requests: in a batch, and then alone.
 */
function expectDelivered(
  receiver: Receiver,
  acknowledged: readonly string[],
  isRefused: (id: string) => boolean,
): void {
  const bodies = new Map<string, string>();
  const numbers: number[] = [];
  for (const { id, body, events } of receiver.got) {
    const known = bodies.get(id);
    if (known !== undefined) {
      expect(body).toBe(known);
      continue;
    }
    bodies.set(id, body);
    if (events.length > 1 && events.some((event) => isRefused(event.id))) continue;
    numbers.push(...events.map(({ seq }) => seq));
  }
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  const ids = receiver.got.flatMap(({ events }) => events.map((event) => event.id));
  for (const id of acknowledged) expect(ids).toContain(id);
}

/** Recorded again until it is acknowledged, as whoever noticed the event does; dead processes acknowledge nothing. */
async function recordSurely(world: World, id: string): Promise<void> {
  for (;;) {
    const node = living(world);
    await Promise.race([node.record(id), node.died]);
    if (!node.isDead) return;
  }
}

async function sweepSurely(world: World): Promise<void> {
  for (;;) {
    const node = living(world);
    await Promise.race([world.jobs.sweep(node), node.died]);
    if (!node.isDead) return;
  }
}

/** The process dies at the `step`th step that any takes outside itself, before it or after it. */
function dieAt(world: World, step: number, when: "before" | "after"): { reached: boolean } {
  const death = { reached: false };
  let steps = 0;
  world[when] = (node: TestNode) => {
    if (node === world.node() || ++steps !== step) return;
    death.reached = true;
    node.kill();
  };
  return death;
}

async function openWorld(open: OpenDatabase, seed = 1) {
  const world = await createWorld({ config: CONFIG, seed, database: await open() });
  const receiver = new Receiver();
  world.receive = receiver.receive;
  const { endpoint } = await world.node().add();
  await pass(world, 1);
  return { world, receiver, endpoint };
}

/** One after another, some fail, one is refused: the whole of what a turn can do. */
async function runWithDeath(
  open: OpenDatabase,
  step: number,
  when: "before" | "after",
): Promise<boolean> {
  const { world, receiver } = await openWorld(open);
  await using _ = world;
  // The first stays well, and goes on when the other one has died.
  const well = world.node();
  world.start();
  let tries = 0;
  receiver.answer = async ({ events }) => {
    tries++;
    // What comes while a request is under way is in none that repeats it.
    if (tries === 1) await well.record("late");
    if (tries === 2) return answered(500);
    return answered(events.some(({ id }) => id === "e4") ? 422 : 200);
  };
  const death = dieAt(world, step, when);
  for (const id of ["e1", "e2"]) await recordSurely(world, id);
  await pass(world, 600_000);
  for (const id of ["e3", "e4", "e5"]) await recordSurely(world, id);
  await pass(world, 600_000);
  await sweepSurely(world);
  await pass(world, 600_000);
  const ids = ["e1", "e2", "late", "e3", "e4", "e5"];
  expectDelivered(receiver, ids, (id) => id === "e4");
  return death.reached;
}

async function runWithWeather(open: OpenDatabase, seed: number): Promise<void> {
  const { world, receiver, endpoint } = await openWorld(open, seed);
  await using _ = world;
  const random = createSeededRandom(seed);
  let isCalm = false;
  receiver.answer = () => {
    if (isCalm || random.chance(0.5)) return answered(200);
    // Whether it was taken nobody knows.
    return random.chance(0.5) ? answered(500) : { kind: "failed", why: "timeout", sent: true };
  };
  const sleeping: (() => void)[] = [];
  const weather = async (node: TestNode) => {
    if (isCalm) return;
    if (random.chance(0.03)) node.kill();
    if (!random.chance(0.03)) return;
    // It stands still for so long that others take it for dead, and then goes on.
    const { promise, resolve } = Promise.withResolvers<void>();
    sleeping.push(resolve);
    await promise;
  };
  world.before = weather;
  world.after = weather;
  const acknowledged: string[] = [];
  const turns = new Set<Promise<void>>();
  for (let step = 0; step < 60; step++) {
    const node = random.chance(0.5) ? living(world) : world.start();
    if (random.chance(0.5)) {
      const id = `e${step}`;
      const recorded = node.record(id).then(() => {
        if (!node.isDead) acknowledged.push(id);
      });
      turns.add(recorded.catch(() => {}));
    }
    const [due] = world.jobs.due;
    if (due !== undefined) turns.add(runOne(world, node, due));
    if (random.chance(0.3)) sleeping.shift()?.();
    // Leases end: what a sleeping one holds is others', too.
    if (random.chance(0.2)) world.jobs.release({ kind: "deliver", tenant: ACME, key: endpoint });
    world.clock.advance(random.between(0, 5_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  isCalm = true;
  for (const wakeUp of sleeping) wakeUp();
  await sweepSurely(world);
  world.jobs.release({ kind: "deliver", tenant: ACME, key: endpoint });
  await pass(world, DAY_MS / 24);
  expectDelivered(receiver, acknowledged, () => false);
}

/** `runs`: seeds that are tried; `stride`: of the steps every so many, where a database is slow to open. */
export function crashModelTests(
  name: string,
  open: OpenDatabase,
  { runs, stride }: { readonly runs: number; readonly stride: number },
): void {
  for (const when of ["before", "after"] as const) {
    test(`[WH8] ${name}: nothing is lost and the order is kept if the process dies ${when} any of its steps`, async () => {
      let step = 1;
      while (await runWithDeath(open, step, when)) step += stride;
      expect(step).toBeGreaterThan(40);
    }, 60_000);
  }

  test(`[WH8] ${name}: nothing is lost and the order is kept if processes die and sleep at random`, async () => {
    const first = Number(Bun.env["ALDIS_TEST_SEED"] ?? 1);
    for (let seed = first; seed < first + runs; seed++) {
      try {
        await runWithWeather(open, seed);
      } catch (cause) {
        throw new Error(`ALDIS_TEST_SEED=${seed}`, { cause });
      }
    }
  }, 60_000);
}
