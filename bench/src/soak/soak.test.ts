import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Machine, openMachine } from "../servers/launch.ts";
import { runSoak, type SoakSample } from "./soak.ts";
import { isSoakGood, soakReport } from "./soak-report.ts";

/** Three short cycles, the last one with stuck clients. Nothing is said about memory: that takes an hour. */
const CYCLES = 3;
const SMOKE_MAX_MS = 120_000;

describe("soak smoke run", () => {
  let machine: Machine;
  let samples: SoakSample[];

  beforeAll(async () => {
    machine = await openMachine();
    const options = { minutes: 5, cycleMs: 1000, seed: 1, json: undefined, cyclesMax: CYCLES };
    samples = await runSoak(machine, options, () => {});
  }, SMOKE_MAX_MS);
  afterAll(() => machine.dispose());

  test("nothing was lost, and there was something to lose", () => {
    expect(samples.flatMap(({ traffic }) => traffic.faults)).toEqual([]);
    expect(samples).toHaveLength(CYCLES);
    for (const { traffic, state } of samples) {
      expect(traffic.published).toBeGreaterThan(0);
      expect(traffic.delivered).toBeGreaterThan(traffic.published);
      expect(traffic.cuts).toBeGreaterThan(0);
      expect(traffic.resumes.recovered).toBe(traffic.resumes.possible);
      expect(state.connections).toBeGreaterThanOrEqual(300);
      expect(state.counters["faults"]).toBe(0);
    }
  });

  test("three samples are no trend, and the report says so", () => {
    const report = soakReport(samples);
    expect(report).toContain("too few samples");
    expect(report).toContain("nothing lost, doubled, out of order, made up or leaked");
    expect(isSoakGood(samples)).toBe(true);
  });
});
