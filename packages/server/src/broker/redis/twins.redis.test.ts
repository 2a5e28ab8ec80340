/**
 * The broker over Redis beside the one in memory: whatever is done to both, they answer alike. fast-check prints the seed of a failure;
 * run it again with `fc.assert(…, { seed, path })`.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { createFakeClock, createSeededRandom, type RedisServer, startRedis } from "@aldis/testkit";
import fc from "fast-check";
import { configSchema } from "../../config/schema.ts";
import { createCounters } from "../../observe/counters.ts";
import { openShards } from "../../redis/shards.ts";
import { BROKER_LIMITS, draft, key, offsetsOf } from "../broker.contract.ts";
import type { Broker, HistoryOptions } from "../broker.ts";
import { MemoryBroker } from "../memory-broker.ts";
import { RedisBroker } from "./redis-broker.ts";

const LOBBY = key("chat:lobby");
/** Bytes are counted differently: enough for all, or for none. */
const historyOptions = fc.record({
  size: fc.constantFrom(0, 1, 3, 10, 100),
  ttlMs: fc.constantFrom(0, 1, 50, 1_000),
  maxBytes: fc.constantFrom(0, 1_000_000),
});
const offset = fc.option(fc.nat(60), { nil: undefined });
const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      count: fc.integer({ min: 1, max: 12 }),
      version: fc.option(fc.nat(20), { nil: undefined }),
      once: fc.option(fc.nat(5), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("change" as const), to: historyOptions }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("advance" as const), ms: fc.nat(100) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("recover" as const),
      back: fc.integer({ min: -2, max: 20 }),
      foreign: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("page" as const),
      limit: fc.integer({ min: 1, max: 20 }),
      before: offset,
      after: offset,
    }),
  },
);
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

let server: RedisServer;
let opened = 0;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** What one of them answers to each action, without its epochs. */
async function answersOf(
  broker: Broker,
  actions: readonly Action[],
  advance: (ms: number) => void,
) {
  const answers: unknown[] = [];
  let history: HistoryOptions = { size: 10, ttlMs: 1_000, maxBytes: 1_000_000 };
  for (const one of actions) answers.push(await answerTo(one));
  return answers;

  async function answerTo(one: Action): Promise<unknown> {
    const { epoch, offset: top } = await broker.top(LOBBY);
    switch (one.kind) {
      case "change":
        history = one.to;
        return undefined;
      case "advance":
        return advance(one.ms);
      case "recover": {
        const since = { offset: Math.max(0, top - one.back), epoch: one.foreign ? "e" : epoch };
        const recovery = await broker.recover(LOBBY, since, history);
        return [recovery.recovered, recovery.top.offset, offsetsOf(recovery.publications)];
      }
      case "page": {
        const page = await broker.history(LOBBY, one, history);
        return [page.more, page.top.offset, offsetsOf(page.publications)];
      }
      case "publish": {
        const { version, once } = one;
        const idempotencyKey = once === undefined ? undefined : `${once}`;
        const what = draft({ version, idempotencyKey });
        const done: unknown[] = [];
        for (let n = 0; n < one.count; n++) {
          const outcome = await broker.publish(LOBBY, what, history);
          done.push([outcome.kind, outcome.duplicate, outcome.offset]);
        }
        return done;
      }
      default:
        return one satisfies never;
    }
  }
}

test("P1: over Redis and in memory all answers are the same", async () => {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
      const redis = { prefix: `twins-${++opened}` };
      const shards = openShards(configSchema.parse({ broker: server.url, redis }));
      if (shards === undefined) throw new Error("a broker was configured");
      const [near, far] = [createFakeClock(), createFakeClock()];
      const random = createSeededRandom(opened);
      const limits = { ...BROKER_LIMITS, commandTimeoutMs: 5_000 };
      const memory = new MemoryBroker({ clock: near, random, deliver: () => {} }, limits);
      const times = () => ({ nowMs: far.monotonicMs(), atMs: far.nowMs() });
      const deps = { shards, clock: far, random, times, counters: createCounters() };
      const remote = new RedisBroker({ ...deps, deliver: () => {} }, limits);
      try {
        const expected = await answersOf(memory, actions, (ms) => near.advance(ms));
        expect(await answersOf(remote, actions, (ms) => far.advance(ms))).toEqual(expected);
        answered += expected.length;
      } finally {
        memory.close();
        remote.close();
        await shards.close();
      }
    }),
    { numRuns: 150 },
  );
  expect(answered).toBeGreaterThan(500);
});
