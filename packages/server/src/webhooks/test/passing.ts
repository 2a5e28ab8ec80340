// Moves a world on: nodes take up what is due, and die in it as the test says.
import type { Key } from "./jobs-of-all.ts";
import type { TestNode, World } from "./world.ts";

/** Has the last node that lives do all that comes due within this time; when it dies, one that is started in its place. */
export async function pass(world: World, ms: number): Promise<void> {
  const end = world.clock.nowMs() + ms;
  for (;;) {
    await runDue(world);
    const next = world.jobs.nextAtMs;
    if (next === undefined || next > end) break;
    world.clock.advance(Math.max(0, next - world.clock.nowMs()));
  }
  world.clock.advance(end - world.clock.nowMs());
}

async function runDue(world: World): Promise<void> {
  for (;;) {
    const [due] = world.jobs.due;
    if (due === undefined) return;
    await runOne(world, living(world), due);
  }
}

/** One turn; if the node dies in it, its key is taken from it. */
export async function runOne(world: World, node: TestNode, key: Key): Promise<void> {
  const turn = world.jobs.run(node, key);
  await Promise.race([turn, node.died]);
  if (node.isDead) world.jobs.release(key);
}

export function living(world: World): TestNode {
  return world.nodes.findLast((node) => !node.isDead) ?? world.start();
}
