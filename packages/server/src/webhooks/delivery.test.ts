import { expect, test } from "bun:test";
import { eventually } from "@aldis/testkit";
import type { OutboundOutcome } from "../plugins/index.ts";
import type { WebhooksConfig } from "./config.ts";
import { DEAD, EVENTS, PROGRESS } from "./records.ts";
import type { DeliveryState } from "./states.ts";
import { pass } from "./test/passing.ts";
import { answered, expectSigned, Receiver } from "./test/receiver.ts";
import { ACME, createWorld, type World } from "./test/world.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Lone = World & { readonly receiver: Receiver; endpoint: string; secret: string };

async function createLone(config: Partial<WebhooksConfig> = {}, nodes = 1): Promise<Lone> {
  const world = await createWorld({ config: { batchMs: 0, ...config }, nodes });
  const receiver = new Receiver();
  world.receive = receiver.receive;
  return Object.assign(world, { receiver, ...(await world.node().add()) });
}

const pathOf = (what: string) => `/api/webhooks/{endpoint}/${what}`;

async function ask<A>({ endpoint, ...world }: Lone, method: string, what: string, more = {}) {
  return await world.node().http<A>(method, pathOf(what), { params: { endpoint }, ...more });
}

async function stateOf(world: Lone): Promise<DeliveryState> {
  return await ask(world, "get", "deliveries");
}

async function record(world: Lone, from: number, to: number): Promise<void> {
  for (let id = from; id <= to; id++) await world.node().record(`e${id}`);
}

const names = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => `e${from + i}`);

test("[WH7] events are posted in order, in batches, signed as Standard Webhooks says", async () => {
  await using world = await createLone({ batchMax: 3 });
  await record(world, 1, 7);
  await pass(world, 1);
  expect(world.receiver.ids).toEqual([names(1, 3), names(4, 6), names(7, 7)]);
  const [first] = world.receiver.got;
  expect(JSON.parse(first?.body ?? "")).toMatchObject({
    endpoint: world.endpoint,
    events: [
      { id: "e1", seq: 1, type: "thing.happened", at: 1, tenant: "acme", data: { id: "e1" } },
      { seq: 2 },
      { seq: 3 },
    ],
  });
  for (const got of world.receiver.got) expectSigned(got, [world.secret]);
  expect(await stateOf(world)).toMatchObject({ cursor: 7, backlog: 0, breaker: "closed", dead: 0 });
});

test("[WH7] a batch has no more bytes than it may, but one event at least", async () => {
  await using world = await createLone({ batchMaxBytes: 1_024 });
  for (let id = 1; id <= 4; id++) {
    await world.node().record(`e${id}`, { data: { text: "x".repeat(id === 3 ? 2_000 : 300) } });
  }
  await pass(world, 1);
  expect(world.receiver.ids).toEqual([names(1, 2), names(3, 3), names(4, 4)]);
});

test("[WH3] while a secret is rotated both sign", async () => {
  await using world = await createLone({ rotationMs: HOUR_MS });
  const { secret } = await ask<{ secret: string }>(world, "post", "rotate-secret");
  await record(world, 1, 1);
  await pass(world, HOUR_MS);
  await record(world, 2, 2);
  await pass(world, 1);
  const [during, after] = world.receiver.got;
  if (during === undefined || after === undefined) throw new Error("nothing was sent");
  expectSigned(during, [secret, world.secret]);
  expectSigned(after, [secret]);
});

test("[WH8] what fails is sent again: the same batch, with the same id, later and later", async () => {
  await using world = await createLone({ backoffMs: 1_000, backoffMaxMs: 60_000 });
  const { receiver } = world;
  receiver.answer = () => answered(500);
  await record(world, 1, 2);
  await pass(world, 1);
  await record(world, 3, 5);
  await pass(world, HOUR_MS);
  const tries = receiver.got.length;
  expect(tries).toBeGreaterThan(60);
  expect(tries).toBeLessThan(150);
  expect(new Set(receiver.got.map(({ id, body }) => `${id} ${body}`)).size).toBe(1);
  expect(new Set(receiver.got.map(({ timestamp }) => timestamp)).size).toBeGreaterThan(50);
  const gaps = receiver.got
    .slice(1)
    .map(({ timestamp }, i) => timestamp - (receiver.got[i]?.timestamp ?? 0));
  expect(Math.max(...gaps)).toBeLessThanOrEqual(61);
  expect(await stateOf(world)).toMatchObject({
    backlog: 5,
    breaker: "open",
    lastError: { why: "status 500", status: 500 },
  });
  receiver.answer = () => answered(204);
  await pass(world, 60_000);
  expect(receiver.ids.slice(tries)).toEqual([names(1, 2), names(3, 5)]);
  expect(await stateOf(world)).toMatchObject({ backlog: 0, failures: 0, breaker: "closed" });
  expect(world.node().logged).toEqual([
    "an endpoint is down",
    "an endpoint takes its events again",
  ]);
});

test.each<[string, OutboundOutcome]>([
  ["a redirect", answered(302, { location: "https://elsewhere.example/" })],
  ["a time limit", { kind: "failed", why: "timeout", sent: true }],
  ["a connection that breaks", { kind: "failed", why: "cut", sent: true }],
  ["a private address", { kind: "refused", why: "address" }],
  ["408", answered(408)],
  ["an informational answer", answered(101)],
])("[WH8] %s is a failure, and tried again", async (_, outcome) => {
  await using world = await createLone();
  let tries = 0;
  world.receiver.answer = () => (++tries < 4 ? outcome : answered(200));
  await record(world, 1, 1);
  await pass(world, HOUR_MS);
  expect(world.receiver.got).toHaveLength(4);
  expect(await stateOf(world)).toMatchObject({ backlog: 0, dead: 0 });
});

test("[WH8] faults 13: when the clock is set back by an hour an endpoint that failed is tried again with the next look, and not an hour later", async () => {
  await using world = await createLone({ backoffMs: 20_000, backoffMaxMs: 20_000 });
  const { receiver, clock, jobs, endpoint } = world;
  receiver.answer = () => answered(500);
  await record(world, 1, 1);
  await pass(world, 1);
  expect(receiver.got).toHaveLength(1);
  receiver.answer = () => answered(200);
  clock.setWallClock(clock.nowMs() - HOUR_MS);
  // As jobs do it where they find that the clock was set back.
  const [kind = ""] = world.node().kinds.keys();
  jobs.wake({ kind, tenant: ACME, key: endpoint }, "now");
  await pass(world, 1);
  expect(receiver.got).toHaveLength(2);
});

test("[WH7] P6: a process that stops lets its request end, and makes no other: nothing is sent twice", async () => {
  await using world = await createLone({ batchMax: 1 });
  const { receiver, jobs } = world;
  const { ending } = jobs;
  const wasCut: unknown[] = [];
  receiver.answer = (_, { signal }) => {
    ending.abort();
    wasCut.push(signal?.aborted);
    return answered(200);
  };
  await record(world, 1, 2);
  const [due] = await eventually("it is due", () => (jobs.due.length > 0 ? jobs.due : undefined));
  if (due !== undefined) await jobs.run(world.node(), due);
  expect([receiver.ids, wasCut]).toEqual([[["e1"]], [false]]);
  jobs.ending = new AbortController();
  receiver.answer = () => answered(200);
  await pass(world, 1);
  expect(receiver.ids).toEqual([["e1"], ["e2"]]);
});

test("[WH8] Retry-After is honoured, within bounds", async () => {
  await using world = await createLone({ retryAfterMaxMs: HOUR_MS });
  const { receiver, clock } = world;
  const at = (ms: number) => new Date(clock.nowMs() + ms).toUTCString();
  const asked = ["120", at(300_000), "999999", "soon"];
  receiver.answer = ({ id }) => {
    const next = asked.shift();
    return next === undefined || id === "" ? answered(200) : answered(503, { "retry-after": next });
  };
  await record(world, 1, 1);
  await pass(world, 3 * HOUR_MS);
  const gaps = receiver.got
    .slice(1)
    .map(({ timestamp }, i) => timestamp - (receiver.got[i]?.timestamp ?? 0));
  expect(gaps[0]).toBeGreaterThanOrEqual(119);
  expect(gaps[0]).toBeLessThan(130);
  expect(gaps[1]).toBeGreaterThanOrEqual(170);
  expect(gaps[2]).toBeGreaterThanOrEqual(3_599);
  expect(gaps[2]).toBeLessThanOrEqual(3_601);
  expect(gaps[3]).toBeLessThan(60);
});

test("[WH9] what could not be delivered for a day is a dead letter; younger events are not", async () => {
  await using world = await createLone({ backoffMaxMs: 1_200_000, lookMs: HOUR_MS });
  world.receiver.answer = () => answered(500);
  await record(world, 1, 3);
  await pass(world, 23 * HOUR_MS);
  await record(world, 4, 4);
  expect(await stateOf(world)).toMatchObject({ backlog: 4, dead: 0 });
  await pass(world, 1.5 * HOUR_MS);
  expect(await stateOf(world)).toMatchObject({ backlog: 1, dead: 3 });
  world.receiver.answer = () => answered(200);
  await pass(world, HOUR_MS);
  expect(world.receiver.ids.at(-1)).toEqual(["e4"]);
});

test("[WH9] an endpoint that was paused for days has each event tried", async () => {
  await using world = await createLone({ lookMs: HOUR_MS });
  await ask(world, "post", "pause");
  await record(world, 1, 2);
  await pass(world, 3 * DAY_MS);
  expect(world.receiver.got).toHaveLength(0);
  await ask(world, "post", "enable");
  let tries = 0;
  world.receiver.answer = () => answered(++tries < 3 ? 500 : 200);
  await pass(world, HOUR_MS);
  expect(await stateOf(world)).toMatchObject({ backlog: 0, dead: 0 });
  expect(world.receiver.ids).toEqual([names(1, 2), names(1, 2), names(1, 2)]);
});

test("[WH9] a refused batch is sent event by event; the one that is refused alone becomes a dead letter", async () => {
  await using world = await createLone({ rejectedAttempts: 3 });
  world.receiver.answer = ({ events }) =>
    answered(events.some(({ id }) => id === "e3") ? 422 : 200);
  await record(world, 1, 5);
  await pass(world, HOUR_MS);
  const e3 = names(3, 3);
  expect(world.receiver.ids).toEqual([names(1, 5), ["e1"], ["e2"], e3, e3, e3, ["e4"], ["e5"]]);
  const { letters } = await ask<{ letters: object[] }>(world, "get", "dead");
  expect(letters).toMatchObject([{ id: "e3", seq: 3, why: "status 422", data: { id: "e3" } }]);
  await record(world, 6, 8);
  await pass(world, 1_000);
  expect(world.receiver.ids.at(-1)).toEqual(names(6, 8));
});

test("[WH9] 410 disables an endpoint: what waits are dead letters, and nothing more is recorded", async () => {
  await using world = await createLone({ batchMax: 2 }, 2);
  world.receiver.answer = () => answered(410);
  await record(world, 1, 5);
  await pass(world, HOUR_MS);
  expect(world.receiver.got).toHaveLength(1);
  expect(await stateOf(world)).toMatchObject({
    status: "disabled",
    why: "it answered 410",
    backlog: 0,
    dead: 5,
  });
  await record(world, 6, 6);
  await world.node(1).record("e7");
  expect(await stateOf(world)).toMatchObject({ last: 5 });
  await ask(world, "post", "enable");
  world.receiver.answer = () => answered(200);
  await record(world, 8, 8);
  await pass(world, 1_000);
  expect(world.receiver.ids.at(-1)).toEqual(["e8"]);
});

test("[WH9] beyond its bound the oldest of a backlog become dead letters, and the oldest of these go", async () => {
  await using world = await createLone({ backlogMax: 10, deadMax: 7 });
  world.receiver.answer = () => answered(500);
  await record(world, 1, 5);
  await pass(world, 1);
  await record(world, 6, 20);
  await pass(world, 2 * HOUR_MS);
  expect(await stateOf(world)).toMatchObject({ backlog: 10, cursor: 10 });
  world.receiver.answer = () => answered(200);
  await pass(world, HOUR_MS);
  expect(world.receiver.ids.at(-1)).toEqual(names(11, 20));
  const { letters } = await ask<{ letters: { id: string }[] }>(world, "get", "dead");
  expect(letters.map(({ id }) => id)).toEqual(names(4, 10));
  expect(world.node().counted.get("dead_dropped")).toBe(3);
});

test("[WH10] dead letters are paged, sent anew under new numbers with their ids, and removed", async () => {
  await using world = await createLone({ retryMs: 1_000 });
  world.receiver.answer = () => answered(500);
  await record(world, 1, 6);
  await pass(world, 60_000);
  world.receiver.answer = () => answered(200);
  const page = await ask<{ letters: { id: string }[]; next: number }>(world, "get", "dead", {
    query: { limit: 4 },
  });
  expect([page.letters.map(({ id }) => id), page.next]).toEqual([names(1, 4), 4]);
  expect(
    await ask<object>(world, "post", "dead/replay", { body: { seqs: [5, 2, 99, 2] } }),
  ).toEqual({
    replayed: 2,
    more: false,
  });
  await pass(world, 1_000);
  const [events = []] = world.receiver.got.slice(-1).map((got) => got.events);
  expect(events).toMatchObject([
    { id: "e2", seq: 7, replayed: true },
    { id: "e5", seq: 8, replayed: true },
  ]);
  expect(await ask<object>(world, "delete", "dead", { query: { upTo: 3 } })).toEqual({
    removed: 2,
  });
  await ask(world, "post", "dead/replay");
  await pass(world, 1_000);
  expect(world.receiver.ids.at(-1)).toEqual(["e4", "e6"]);
  expect(await stateOf(world)).toMatchObject({ dead: 0 });
});

test("[WH5] what was taken is remembered for a while: recorded again it is not sent again", async () => {
  await using world = await createLone({ repeatMs: 600_000, lookMs: 60_000 });
  await record(world, 1, 3);
  await pass(world, 500_000);
  await record(world, 1, 3);
  await pass(world, HOUR_MS);
  expect(world.receiver.ids).toEqual([names(1, 3)]);
  const kept = await world.node().context.records(EVENTS).sweep(undefined, 100);
  // The last stays: the log counts on from it.
  expect(kept.map(({ record: { seq } }) => seq)).toEqual([3]);
  await record(world, 4, 4);
  await pass(world, 1);
  expect(world.receiver.got.at(-1)?.events).toMatchObject([{ id: "e4", seq: 4 }]);
});

test("[WH1] a removed endpoint leaves nothing, also when another node records for it still", async () => {
  await using world = await createLone({ retryMs: 1 }, 2);
  await world.node(1).record("e0");
  world.receiver.answer = () => answered(500);
  await record(world, 1, 5);
  await pass(world, 60_000);
  await record(world, 6, 8);
  world.nodes[1]?.heard.clear();
  const { endpoint } = world;
  await world.node().http("delete", "/api/webhooks/{endpoint}", { params: { endpoint } });
  await pass(world, 60_000);
  await world.node(1).record("e9");
  await pass(world, 60_000);
  for (const collection of [EVENTS, DEAD, PROGRESS]) {
    const { sweep } = world.node().context.records<object>(collection);
    expect(await sweep(undefined, 10)).toEqual([]);
  }
});

test("[WH5] what was recorded by a process that died before it told anybody is found", async () => {
  await using world = await createLone();
  await pass(world, HOUR_MS);
  await world
    .node()
    .context.records(EVENTS)
    .append(ACME, {
      ...{ endpoint: world.endpoint, seq: 0, id: "e1", replayOf: 0, type: "a.b", at: 1 },
      ...{ recordedAt: 1, body: { data: {} } },
    });
  await pass(world, HOUR_MS);
  expect(world.receiver.got).toHaveLength(0);
  await world.jobs.sweep(world.node());
  await pass(world, 1);
  expect(world.receiver.ids).toEqual([["e1"]]);
});

test("figures say how many endpoints are behind and down, and how old the oldest event is", async () => {
  await using world = await createLone({ backoffMaxMs: 60_000 });
  await world.node().add({ types: ["a.b"] });
  world.receiver.answer = () => answered(500);
  await record(world, 1, 3);
  await pass(world, HOUR_MS);
  const figures = () => [...world.node().gauges].map(([name, read]) => [name, Math.round(read())]);
  await world.jobs.sweep(world.node());
  expect(figures()).toEqual([
    ["oldest_waiting_seconds", 3_600],
    ["endpoints_behind", 1],
    ["endpoints_down", 1],
  ]);
  // Another node looks now.
  world.clock.advance(300_000);
  expect(figures().map(([, value]) => value)).toEqual([0, 0, 0]);
});

test("[WH8] faults 4: a worker that slept sends nothing and takes nothing back, whatever it believes to know", async () => {
  await using world = await createLone({ batchMax: 2 }, 2);
  const { receiver, clock } = world;
  await record(world, 1, 4);
  // The first has written down what it is about to send, and sleeps.
  let wakeUp = () => {};
  const asleep = new Promise<void>((resolve) => {
    wakeUp = resolve;
  });
  let isAsleep = false;
  world.after = async (node, what) => {
    if (node !== world.node(0) || what !== "update") return;
    isAsleep = true;
    await asleep;
  };
  const [key] = world.jobs.due;
  if (key === undefined) throw new Error("nothing is due");
  const first = world.jobs.run(world.node(0), key);
  await eventually("it sleeps", () => isAsleep);
  clock.advance(20_000);
  world.jobs.release(key);
  await world.jobs.runDue(world.node(1));
  expect(receiver.ids).toEqual([names(1, 2), names(3, 4)]);
  wakeUp();
  await first;
  await pass(world, HOUR_MS);
  expect(receiver.ids).toEqual([names(1, 2), names(3, 4)]);
  expect(await stateOf(world)).toMatchObject({ cursor: 4, backlog: 0 });
});

test("[WH8] a process that stops, or has too much to do, is no failure of the endpoint", async () => {
  await using world = await createLone();
  const outcomes: OutboundOutcome[] = [
    { kind: "failed", why: "aborted", sent: true },
    { kind: "failed", why: "busy", sent: false },
  ];
  world.receiver.answer = () => outcomes.shift() ?? answered(200);
  await record(world, 1, 1);
  await pass(world, 1_000);
  expect(world.receiver.got).toHaveLength(3);
  expect(new Set(world.receiver.got.map(({ id }) => id)).size).toBe(1);
  expect(world.node().counted.has("attempts_failed")).toBe(false);
});

test("[WH8] faults 4: what a worker that slept while it sent has to say comes too late, and changes nothing", async () => {
  await using world = await createLone({ batchMax: 2 }, 2);
  const { receiver, clock } = world;
  await record(world, 1, 4);
  const { promise: asleep, resolve: wakeUp } = Promise.withResolvers<void>();
  let isAsleep = false;
  world.after = async (node, what) => {
    if (node !== world.node(0) || what !== "send" || isAsleep) return;
    isAsleep = true;
    await asleep;
  };
  const [key] = world.jobs.due;
  if (key === undefined) throw new Error("nothing is due");
  receiver.answer = () => answered(receiver.got.length === 1 ? 500 : 200);
  const first = world.jobs.run(world.node(0), key);
  await eventually("it sleeps", () => isAsleep);
  clock.advance(20_000);
  world.jobs.release(key);
  await world.jobs.runDue(world.node(1));
  wakeUp();
  await first;
  await pass(world, HOUR_MS);
  expect(receiver.ids).toEqual([names(1, 2), names(1, 2), names(3, 4)]);
  expect(new Set(receiver.got.slice(0, 2).map(({ id, body }) => id + body)).size).toBe(1);
  expect(await stateOf(world)).toMatchObject({ cursor: 4, failures: 0 });
  expect(world.node().counted.get("lost_turns")).toBe(1);
});

test("[WH12] of a suspended tenant events wait, until it is suspended no more; of a deleted one nothing is recorded or sent", async () => {
  await using world = await createLone();
  world.setTenant(ACME, "suspended");
  await record(world, 1, 2);
  await pass(world, 3 * HOUR_MS);
  expect(world.receiver.got).toHaveLength(0);
  world.setTenant(ACME, "active");
  await pass(world, 1);
  expect(world.receiver.ids).toEqual([names(1, 2)]);
  await record(world, 3, 3);
  world.setTenant(ACME, "deleted");
  await record(world, 4, 4);
  await pass(world, HOUR_MS);
  expect(world.receiver.got).toHaveLength(1);
  const kept = await world.node().context.records(EVENTS).sweep(undefined, 10);
  expect(kept.map(({ record: { id } }) => id)).not.toContain("e4");
});
