import { describe, expect, test } from "bun:test";
import { createFakeClock, createSeededRandom } from "@aldis/testkit";
import type { TenantId } from "../tenant/tenant.ts";
import {
  BROKER_LIMITS,
  type BrokerLimits,
  brokerContract,
  createRemoteBroker,
  draft,
  KEEP,
  key,
  selfDriven,
  tenant,
} from "./broker.contract.ts";
import { MemoryBroker } from "./memory-broker.ts";
import { RememberedAnswers } from "./remembered-answers.ts";
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

function table(
  limits: Partial<BrokerLimits>,
  historyQuotaOf: (of: TenantId) => number | undefined = () => undefined,
) {
  const clock = createFakeClock();
  const streams = new StreamTable(
    { clock, random: createSeededRandom(1) },
    { ...BROKER_LIMITS, ...limits, historyQuotaOf },
  );
  const put = (channel: string, size = 100, of = "default") => {
    const place = streams.open(key(channel, of));
    const publication = {
      channel: draft({ channel }).channel,
      offset: place.stream.top + 1,
      key: undefined,
      json: "x".repeat(size),
      exclude: undefined,
    };
    streams.append(place, publication, KEEP);
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

  test("streamsMax holds, and what is only asked for is not remembered at all", () => {
    const { streams, put } = table({ streamsMax: 10 });
    for (let n = 0; n < 1_000; n++) put(`a:${n}`);
    expect(streams.size).toBe(10);
    for (let n = 0; n < 1_000; n++) {
      streams.peek(key(`b:${n}`));
      streams.retain(key(`c:${n}`));
      streams.release(key(`c:${n}`));
    }
    expect(streams.size).toBe(10);
    expect(streams.find(key("a:999"))).toBeDefined();
  });

  test("streamsMax bounds those that nobody is subscribed to, beside any number that somebody is", () => {
    const { streams, put } = table({ streamsMax: 50 });
    for (let n = 0; n < 200; n++) {
      streams.retain(key(`busy:${n}`));
      put(`busy:${n}`);
    }
    for (let n = 0; n < 500; n++) put(`other:${n}`);
    expect(streams.size).toBe(250);
    for (let n = 0; n < 200; n++) streams.release(key(`busy:${n}`));
    expect(streams.size).toBe(50);
    expect(streams.find(key("busy:149"))).toBeUndefined();
    expect(streams.find(key("busy:150"))).toBeDefined();
  });

  test("streamsMax: what is forgotten is of the tenant that has the most", () => {
    const { streams, put } = table({ streamsMax: 30 });
    const held = (of: string) =>
      Array.from({ length: 100 }, (_, n) => n).filter((n) => streams.find(key(`a:${n}`, of)));
    for (let n = 0; n < 5; n++) put(`a:${n}`, 100, "small");
    for (let n = 0; n < 100; n++) put(`a:${n}`, 100, "large");
    expect([held("small").length, held("large").length, held("large")[0]]).toEqual([5, 25, 75]);
    for (let n = 0; n < 100; n++) put(`a:${n}`, 100, "next");
    expect([held("small").length, streams.size]).toEqual([5, 30]);
    expect(Math.abs(held("large").length - held("next").length)).toBeLessThanOrEqual(1);
  });

  test("historyMaxBytes: what is forgotten is of the tenant that keeps the most", () => {
    const { streams, put } = table({ historyMaxBytes: 20_000 });
    for (let n = 0; n < 5; n++) put(`a:${n}`, 100, "small");
    for (let n = 0; n < 500; n++) put(`a:${n}`, 1_000, "large");
    for (let n = 0; n < 5; n++) expect(streams.find(key(`a:${n}`, "small"))?.kept).toBe(1);
    expect(streams.find(key("a:490", "large"))).toMatchObject({ top: 1, kept: 0 });
    expect(streams.find(key("a:491", "large"))).toMatchObject({ top: 1, kept: 1 });
    expect(streams.bytes).toBeLessThanOrEqual(20_000);
  });

  test("idempotencyMs: what is over is let go of, of every tenant", () => {
    const clock = createFakeClock();
    const answers = new RememberedAnswers(clock, { keepMs: 1_000, max: 100 });
    for (let n = 0; n < 50; n++) {
      const outcome = { offset: n, epoch: "e", kind: "published", duplicate: false } as const;
      answers.of(tenant(`t${n % 10}`)).set(`${n}`, outcome);
      clock.advance(10);
    }
    const size = (of: string) => answers.of(tenant(of)).size;
    expect([size("t0"), size("t9")]).toEqual([5, 5]);
    clock.advance(600);
    answers.forgetOld();
    expect([size("t0"), size("t9"), answers.of(tenant("t9")).get("49")?.offset]).toEqual([
      3, 4, 49,
    ]);
    clock.advance(1_000);
    answers.forgetOld();
    expect(answers.tenants).toBe(0);
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

  test("the epoch of unknown channels is replaced once one is forgotten that had it, and not by others", () => {
    const { broker, clock } = open({ streamIdleMs: 60_000 });
    const none = { ...KEEP, size: 0 };
    const told = (of = "default") => broker.top(key("never:used", of)).epoch;
    const publish = (channel: string) => broker.publish(key(channel), draft({ channel }), none);
    const [first, other] = [told(), told("acme")];
    publish("chat:a");
    clock.advance(40_000);
    expect(told("acme")).toBe(other);
    publish("chat:b");
    clock.advance(40_000);
    const second = told();
    expect([second === first, told("acme") === other]).toEqual([false, true]);
    clock.advance(40_000);
    expect(broker.top(key("chat:b")).offset).toBe(0);
    expect([told(), told("acme")]).toEqual([second, other]);
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

test("[QU5] P3: a tenant keeps within its quota of history: what it published in least lately goes, and nobody else's", () => {
  let quota = Number.POSITIVE_INFINITY;
  const { streams, put } = table({}, (of) => (of === "acme" ? quota : undefined));
  const kept = (channel: string, of: string) => streams.find(key(channel, of))?.kept ?? 0;
  for (let n = 0; n < 20; n++) put("chat:other", 100, "globex");
  put("chat:a", 100, "acme");
  quota = 8.5 * (streams.find(key("chat:a", "acme"))?.bytes ?? 0);
  for (let n = 0; n < 3; n++) put("chat:a", 100, "acme");
  for (const channel of ["chat:b", "chat:c"]) {
    for (let n = 0; n < 4; n++) put(channel, 100, "acme");
  }
  expect(["chat:a", "chat:b", "chat:c"].map((channel) => kept(channel, "acme"))).toEqual([0, 4, 4]);
  expect(kept("chat:other", "globex")).toBe(20);
});
