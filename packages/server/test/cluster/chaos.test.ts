import { expect, test } from "bun:test";
import { runChaos } from "@aldis/testkit";
import { FAST } from "./support/fast-cluster.ts";

test("[P1] [P5] chaos: random faults of nodes, Redis and networks, some at once: nothing is lost, doubled, out of order or left untold", async () => {
  const seed = Number(Bun.env["ALDIS_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  const told: string[] = [`seed ${seed}`];
  try {
    const report = await runChaos({
      ...{ seed, forMs: 20_000, config: FAST },
      tell: (line) => told.push(line),
    });
    expect(report.counts.acknowledged).toBeGreaterThan(100);
  } catch (error) {
    throw new Error(`${error}\n${told.join("\n")}`);
  }
});
