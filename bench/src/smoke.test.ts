import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { faultsIn } from "./check.ts";
import { SYSTEMS } from "./job.ts";
import { FULL, type Options, SCENARIOS } from "./options.ts";
import { tableOf } from "./report.ts";
import { runBench, type Sample } from "./run.ts";
import { type Machine, openMachine } from "./servers/launch.ts";
import { renderTable } from "./table.ts";

/** Every scenario against every system, tiny: nothing is said about speed, everything about counting. */
const TINY: Options = {
  rounds: 1,
  attemptsMax: 1,
  only: [...SCENARIOS],
  systems: [...SYSTEMS],
  json: undefined,
  sizes: {
    ...FULL,
    subscribers: 25,
    levels: [1, 8],
    historyLevels: [8],
    warmUpMs: 30,
    measureMs: 150,
    connections: 60,
    connectWindow: 16,
    idleConnections: 60,
    idleChannels: 7,
    settleMaxMs: 0,
  },
};
const SMOKE_MAX_MS = 120_000;

describe("bench smoke run", () => {
  let machine: Machine;
  let samples: Sample[];

  beforeAll(async () => {
    machine = await openMachine();
    samples = await runBench(machine, TINY, () => {});
  }, SMOKE_MAX_MS);
  afterAll(() => machine.dispose());

  test("every subscriber of every system got every publish exactly once, in order", () => {
    expect(faultsIn(samples)).toEqual([]);
    const fanOuts = samples
      .flatMap((sample) => sample.results)
      .filter((result) => result.scenario === "fanout");
    expect(fanOuts).toHaveLength(SYSTEMS.length * 2 + 2);
    for (const result of fanOuts) {
      expect(result.published).toBeGreaterThan(0);
      expect(result.delivered).toBe(result.published * TINY.sizes.subscribers);
      expect(result.bytesPerDelivery).toBeGreaterThan(TINY.sizes.payloadBytes);
    }
  });

  test("every connection was opened and counted", () => {
    const opened = samples
      .flatMap((sample) => sample.results)
      .flatMap((result) => (result.scenario === "fanout" ? [] : [result.connections]));
    expect(opened).toEqual(Array.from({ length: SYSTEMS.length * 2 }, () => 60));
  });

  test("the bare Bun server sends what Aldis's messages weigh, within two bytes", () => {
    const weigh = (variant: string) =>
      samples
        .filter((sample) => sample.scenario === "fanout" && sample.variant === variant)
        .flatMap((sample) => sample.results)
        .flatMap((result) => (result.scenario === "fanout" ? [result.bytesPerDelivery] : []))[0];
    expect(Math.abs((weigh("aldis") ?? 0) - (weigh("bun") ?? 0))).toBeLessThanOrEqual(2);
  });

  test("the table holds a row for each measure", () => {
    const table = renderTable(tableOf(samples));
    for (const name of [
      "fan-out, 8 in flight",
      "history on, 8 in flight",
      "connections/s",
      "kB per idle",
    ]) {
      expect(table).toContain(name);
    }
  });
});
