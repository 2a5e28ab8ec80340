import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { faultsIn } from "./check.ts";
import { SYSTEMS } from "./job.ts";
import { type Options, SCENARIO_NAMES, type ScenarioName } from "./options.ts";
import { tableOf } from "./report.ts";
import { runBench } from "./run.ts";
import type { Sample } from "./scenario.ts";
import type { JobResult } from "./scenarios/all.ts";
import { SUBSCRIBERS_OF_EACH } from "./scenarios/channels.ts";
import { CLIENTS_OF_A_CHANNEL } from "./scenarios/client-publish.ts";
import { STUCK_POLICIES } from "./scenarios/stuck.ts";
import { type Machine, openMachine } from "./servers/launch.ts";
import { missingRedis } from "./servers/redis.ts";
import { hasStore } from "./servers/store.ts";
import { FULL } from "./sizes.ts";
import { renderTable } from "./table.ts";

/** Every scenario against every system, tiny: nothing is said about speed, everything about counting. */
const TINY: Options = {
  rounds: 1,
  attemptsMax: 1,
  only: [...SCENARIO_NAMES],
  systems: [...SYSTEMS],
  json: undefined,
  sizes: {
    ...FULL,
    subscribers: 25,
    levels: [1, 8],
    clusterLevels: [8],
    historyLevels: [8],
    codecLevels: [8],
    warmUpMs: 30,
    measureMs: 150,
    connections: 60,
    connectWindow: 16,
    idleConnections: 60,
    idleChannels: 7,
    settleMaxMs: 0,
    httpConnections: 8,
    publishers: 10,
    publisherWindow: 2,
    channels: 20,
    channelsWindow: 8,
    members: 15,
    churners: 4,
    chatMessages: 500,
    chatReaders: 2,
    stuckHealthy: 18,
    stuckClients: 3,
    stuckMeasureMs: 300,
    stuckTurns: 1,
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

  function resultsOf<S extends JobResult["scenario"]>(
    scenario: S,
  ): (JobResult & { scenario: S })[] {
    return samples
      .flatMap((sample) => sample.results as JobResult[])
      .filter((result): result is JobResult & { scenario: S } => result.scenario === scenario);
  }

  test("nothing was lost, doubled or out of order anywhere", () => {
    expect(faultsIn(samples)).toEqual([]);
    const ran = new Set<ScenarioName>(samples.map(({ scenario }) => scenario));
    const expected = SCENARIO_NAMES.filter((name) => !skipped.includes(name));
    expect([...ran].sort()).toEqual(expected.sort());
  });

  const isClustered = missingRedis() === undefined;
  const skipped: readonly ScenarioName[] = isClustered ? [] : ["cluster", "broker"];

  test("every subscriber of every system got every publish exactly once, in order", () => {
    const fanOuts = resultsOf("fanout");
    expect(fanOuts).toHaveLength(SYSTEMS.length * 2 + 2 + 3 + (isClustered ? 4 : 0));
    for (const result of fanOuts) {
      expect(result.published).toBeGreaterThan(0);
      expect(result.delivered).toBe(result.published * TINY.sizes.subscribers);
      expect(result.bytesPerDelivery).toBeGreaterThan(TINY.sizes.payloadBytes);
    }
  });

  test("in small channels every publish came to all ten subscribers, every client's to all five", () => {
    const channels = resultsOf("channels");
    const clients = resultsOf("clients");
    // Those who say something in a room of chat are such clients too.
    const chats = (["sqlite", "postgres"] as const).filter(hasStore).length;
    expect([channels.length, clients.length]).toEqual([SYSTEMS.length, SYSTEMS.length + chats]);
    for (const { published, delivered } of channels) {
      expect(published).toBeGreaterThan(0);
      expect(delivered).toBe(published * SUBSCRIBERS_OF_EACH);
    }
    for (const { published, acknowledged, delivered } of clients) {
      expect(published).toBeGreaterThan(0);
      expect(acknowledged).toBe(published);
      expect(delivered).toBe(published * CLIENTS_OF_A_CHANNEL);
    }
  });

  test("every HTTP request was answered and got an offset of its own", () => {
    const results = resultsOf("http");
    expect(results).toHaveLength(2 + (isClustered ? 3 : 0));
    for (const { requested, answered, offsets, heardMin, heardMax } of results) {
      expect(requested).toBeGreaterThan(0);
      expect([answered, offsets, heardMin, heardMax]).toEqual(Array(4).fill(requested));
    }
  });

  test("after the churn exactly the members are present, and every member was told so", () => {
    const [result] = resultsOf("presence");
    expect(result?.changes).toBeGreaterThan(0);
    expect(result).toMatchObject({ countAtEnd: TINY.sizes.members, misinformed: 0 });
  });

  test("the healthy got everything while others were stuck", () => {
    expect(resultsOf("stuck")).toHaveLength(STUCK_POLICIES.length);
    for (const result of resultsOf("stuck")) {
      const { published, deliveredMin, deliveredMax } = result;
      expect(published).toBeGreaterThan(0);
      expect([deliveredMin, deliveredMax]).toEqual([published, published]);
    }
  });

  test("every connection was opened and counted", () => {
    const opened = [...resultsOf("connect"), ...resultsOf("memory")].map(
      (result) => result.connections,
    );
    expect(opened).toEqual(Array.from({ length: SYSTEMS.length * 2 }, () => 60));
  });

  test("the bare Bun server sends what Aldis's messages weigh, within two bytes", () => {
    const weigh = (variant: string) =>
      samples
        .filter((sample) => sample.scenario === "fanout" && sample.variant === variant)
        .flatMap((sample) => sample.results as JobResult[])
        .flatMap((result) => (result.scenario === "fanout" ? [result.bytesPerDelivery] : []))[0];
    expect(Math.abs((weigh("aldis") ?? 0) - (weigh("bun") ?? 0))).toBeLessThanOrEqual(2);
  });

  test("the table holds a row for each measure", () => {
    const table = renderTable(tableOf(samples));
    for (const name of [
      "fan-out, 8 in flight",
      "history on, 8 in flight",
      "20 channels of 10",
      "client publishes/s, 10 clients",
      "HTTP publishes/s",
      "codecs, all MessagePack",
      "all read (",
      "connections/s",
      "kB per idle",
      "presence churn among 15",
      "p99 ms of 18, all read",
      "chat sends/s, sqlite, 10 people",
      "p99 ms of a page",
      "notifications/s, sqlite",
      ...(isClustered ? ["3 nodes over Redis, 8 in flight", "publishes/s over Redis"] : []),
    ]) {
      expect(table).toContain(name);
    }
  });
});
