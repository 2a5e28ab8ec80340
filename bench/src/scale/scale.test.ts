import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Machine, openMachine } from "../servers/launch.ts";
import { missingRedis } from "../servers/redis.ts";
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

const missing = missingRedis();
const OVER: Record<ScaleOptions["broker"], string> = {
  memory: "on nodes that know nothing of each other",
  redis: missing === undefined ? "over Redis, clients move" : `over Redis: skipped, ${missing}`,
};

describe.each(["memory", "redis"] as const)("scale smoke run: %s", (broker) => {
  const isLeftOut = broker === "redis" && missing !== undefined;
  let machine: Machine;
  let result: ScaleResult;

  beforeAll(async () => {
    if (isLeftOut) return;
    machine = await openMachine();
    result = await runScale(machine, { ...SMALL, broker }, () => {});
  }, SMOKE_MAX_MS);
  afterAll(() => machine?.dispose());

  test.skipIf(isLeftOut)(`all have every message of their rooms in order, ${OVER[broker]}`, () => {
    expect(result.faults).toEqual([]);
    expect(result.tally.connected).toBe(SMALL.connections);
    expect(result.tally.messages).toBeGreaterThan(0);
    expect(result.firstThird.arrived + result.rest.arrived).toBe(SMALL.connections);
  });

  test.skipIf(isLeftOut)(`who was cut resumed and recovered, ${OVER[broker]}`, () => {
    const { arrived, resumed, channels, recoveredChannels } = result.storm;
    expect(arrived).toBeGreaterThan(SMALL.connections / 3);
    expect(arrived).toBeLessThan((SMALL.connections / 3) * 2);
    expect(resumed).toBe(arrived);
    expect(channels).toBeGreaterThan(arrived);
    expect(recoveredChannels).toBe(channels);
  });

  test.skipIf(isLeftOut)(`the table holds every measure, ${OVER[broker]}`, () => {
    expect(Object.keys(result.delays).sort()).toEqual([...PROBE_KINDS].sort());
    const table = scaleReport(result);
    for (const name of ["connections/s", "a join", "HTTP send", "storm: ", "who stayed"]) {
      expect(table).toContain(name);
    }
  });
});
