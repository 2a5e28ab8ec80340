import { describe, expect, test } from "bun:test";
import { createFakeClock, createSeededRandom } from "@aldis/testkit";
import {
  BROKER_LIMITS,
  type BrokerLimits,
  brokerContract,
  createRemoteBroker,
  draft,
  KEEP,
  key,
  selfDriven,
} from "./broker.contract.ts";
import { MemoryBroker } from "./memory-broker.ts";
import { StreamTable } from "./stream-table.ts";

brokerContract("memory", ({ clock, deliver, limits }) => {
  return new MemoryBroker({ clock, deliver, random: createSeededRandom(1) }, limits);
});

for (const seed of [1, 2, 3]) {
  brokerContract(`memory behind a line, seed ${seed}`, ({ clock, deliver, limits }) => {
    const random = createSeededRandom(seed);
    const far = createRemoteBroker(
      (arrived) => new MemoryBroker({ clock, deliver: arrived, random }, limits),
      deliver,
    );
    return selfDriven(far, seed);
  });
}

function open(limits: Partial<BrokerLimits>) {
  const clock = createFakeClock();
  const broker = new MemoryBroker(
    { clock, random: createSeededRandom(1), deliver: () => {} },
    { ...BROKER_LIMITS, ...limits },
  );
  return { broker, clock };
}

function table(limits: Partial<BrokerLimits>) {
  const clock = createFakeClock();
  const streams = new StreamTable(
    { clock, random: createSeededRandom(1) },
    { ...BROKER_LIMITS, ...limits },
  );
  const put = (channel: string, size = 100) => {
    const { top } = streams.get(key(channel));
    const publication = {
      channel: draft({ channel }).channel,
      offset: top + 1,
      json: "x".repeat(size),
      exclude: undefined,
    };
    streams.append(key(channel), publication, KEEP);
  };
  return { streams, clock, put };
}

describe("MemoryBroker: bounds", () => {
  test("streamsMax: the least recently published is forgotten first", () => {
    const { broker } = open({ streamsMax: 3 });
    const epochs = new Map<string, string>();
    const put = (channel: string) => {
      const { epoch } = broker.publish(key(channel), draft({ channel }), KEEP);
      const known = epochs.get(channel);
      epochs.set(channel, epoch);
      return known === undefined ? "new" : known === epoch ? "kept" : "forgotten";
    };
    expect(["a", "b", "c", "a", "d"].map(put)).toEqual(["new", "new", "new", "kept", "new"]);
    expect(["a", "c", "b"].map(put)).toEqual(["kept", "kept", "forgotten"]);
  });

  test("streamsMax holds, whatever is asked for", () => {
    const { streams, put } = table({ streamsMax: 10 });
    for (let n = 0; n < 1_000; n++) put(`a:${n}`);
    for (let n = 0; n < 1_000; n++) streams.get(key(`b:${n}`));
    expect(streams.size).toBe(10);
  });

  test("streamsMax holds beside many quiet channels that are subscribed to", () => {
    const { streams, put } = table({ streamsMax: 500 });
    for (let n = 0; n < 200; n++) streams.retain(key(`quiet:${n}`));
    for (let n = 0; n < 5_000; n++) put(`other:${n}`);
    expect(streams.size).toBe(500);
    expect(streams.find(key("quiet:0"))).toBeDefined();
  });

  test("historyMaxBytes: bounds all histories together; positions stay", () => {
    const { streams, put } = table({ historyMaxBytes: 10_000 });
    for (let n = 0; n < 50; n++) {
      for (let i = 0; i < 5; i++) put(`a:${n}`);
      expect(streams.bytes).toBeLessThanOrEqual(10_000);
    }
    expect(streams.bytes).toBeGreaterThan(5_000);
    expect(streams.find(key("a:0"))).toMatchObject({ top: 5, kept: 0, bytes: 0 });
    expect(streams.find(key("a:49"))).toMatchObject({ top: 5, kept: 5 });
  });

  test("historyMaxBytes: what is counted is what the streams hold, after all kinds of going", () => {
    const { streams, clock, put } = table({ historyMaxBytes: 20_000, streamsMax: 20 });
    const random = createSeededRandom(7);
    for (let n = 0; n < 2_000; n++) {
      put(`a:${random.between(0, 40)}`, random.between(1, 1_500));
      if (random.chance(0.05)) clock.advance(KEEP.ttlMs / 4);
      if (random.chance(0.05)) streams.sweep();
    }
    streams.sweep();
    const held = Array.from({ length: 41 }, (_, n) => streams.find(key(`a:${n}`))?.bytes ?? 0);
    expect(streams.bytes).toBe(held.reduce((sum, bytes) => sum + bytes, 0));
    clock.advance(KEEP.ttlMs);
    streams.sweep();
    expect(streams.bytes).toBe(0);
  });

  test("idempotencyMax: the oldest key goes first", () => {
    const { broker } = open({ idempotencyMax: 2 });
    const put = (idempotencyKey: string) =>
      broker.publish(key("chat:a"), draft({ idempotencyKey }), KEEP).duplicate;
    expect(["a", "b", "a", "c"].map(put)).toEqual([false, false, true, false]);
    expect(["c", "b", "a"].map(put)).toEqual([true, true, false]);
  });

  test("streamIdleMs: counts from the last use, of which the end of a subscription is one", () => {
    const { broker, clock } = open({ streamIdleMs: 60_000 });
    const none = { ...KEEP, size: 0 };
    const { epoch } = broker.publish(key("chat:a"), draft({}), none);
    broker.subscribe({ key: key("chat:a") });
    clock.advance(600_000);
    broker.unsubscribe({ key: key("chat:a") });
    clock.advance(50_000);
    expect(broker.top(key("chat:a")).epoch).toBe(epoch);
    clock.advance(30_000);
    expect(broker.top(key("chat:a")).epoch).not.toBe(epoch);
  });
});
