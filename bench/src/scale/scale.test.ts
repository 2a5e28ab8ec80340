import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Machine, openMachine } from "../servers/launch.ts";
import { runScale, type ScaleResult } from "./run-scale.ts";
import type { ScaleOptions } from "./scale-options.ts";
import { scaleReport } from "./scale-report.ts";
import { PROBE_KINDS } from "./wire.ts";

/** A scale run in miniature: nothing is said about speed, everything about counting. */
const SMALL: ScaleOptions = {
  connections: 240,
  nodes: 3,
  rooms: 12,
  halls: 2,
  samples: 24,
  window: 16,
  idleMs: 100,
  settleMaxMs: 0,
  broker: "memory",
  json: undefined,
};
const SMOKE_MAX_MS = 120_000;

describe("scale smoke run", () => {
  let machine: Machine;
  let result: ScaleResult;

  beforeAll(async () => {
    machine = await openMachine();
    result = await runScale(machine, SMALL, () => {});
  }, SMOKE_MAX_MS);
  afterAll(() => machine.dispose());

  test("all are connected, and have every message of their rooms in order", () => {
    expect(result.faults).toEqual([]);
    expect(result.tally.connected).toBe(SMALL.connections);
    expect(result.tally.messages).toBeGreaterThan(0);
    expect(result.firstThird.arrived + result.rest.arrived).toBe(SMALL.connections);
  });

  test("who was cut resumed its session, and recovered its channels", () => {
    const { arrived, resumed, channels, recoveredChannels } = result.storm;
    expect(arrived).toBeGreaterThan(SMALL.connections / 3);
    expect(arrived).toBeLessThan((SMALL.connections / 3) * 2);
    expect(resumed).toBe(arrived);
    expect(channels).toBeGreaterThan(arrived);
    expect(recoveredChannels).toBe(channels);
  });

  test("the table holds every measure", () => {
    expect(Object.keys(result.delays).sort()).toEqual([...PROBE_KINDS].sort());
    const table = scaleReport(result);
    for (const name of ["connections/s", "a join", "HTTP send", "storm: ", "who stayed"]) {
      expect(table).toContain(name);
    }
  });
});
