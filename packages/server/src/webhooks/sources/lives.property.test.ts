/** Whatever races, breaks and dies: of each thing, that it began and that it is over alternate, and the last of them is what is so. */
import { describe, expect, test } from "bun:test";
import type { WebhookEvent } from "../recorder.ts";
import {
  ALL_OVER_MS,
  GRACE_MS,
  LEASE_MS,
  Model,
  type ModelNode,
  SESSION_GRACE_MS,
  thing,
} from "./test/model.ts";

const SESSIONS = ["s1", "s2", "s3"];
const CHANNELS = ["c1", "c2"];

/** Where things really are, and how they move about. */
class Crowd {
  readonly #model: Model;
  /** Of each session the node that has its connection. */
  readonly #connected = new Map<string, ModelNode>();
  readonly #gone = new Set<string>();
  readonly #subscribed = new Map<string, Set<ModelNode>>();
  #sessions = SESSIONS.length;
  /** Those that began where nobody knew of the endpoint, or before it. */
  readonly #begun = new Set<string>();

  constructor(model: Model) {
    this.#model = model;
    for (const name of CHANNELS) this.#subscribed.set(name, new Set());
  }

  act(): void {
    const { random } = this.#model;
    if (random.chance(0.5)) this.#actSession();
    else this.#actChannel();
  }

  #actSession(): void {
    const { random, living } = this.#model;
    const name = `s${random.between(Math.max(1, this.#sessions - 4), this.#sessions)}`;
    const node = this.#connected.get(name);
    if (this.#gone.has(name)) {
      // A session that was closed does not come back; another one comes.
      this.#sessions++;
      return;
    }
    const able = living.filter(({ isFrozen }) => !isFrozen);
    if (able.length === 0) return;
    if (node === undefined) return this.#connect(name, random.pick(able));
    if (node.isFrozen) return;
    if (random.chance(0.3)) return this.#moves(name, node, random.pick(able));
    this.#connected.delete(name);
    if (random.chance(0.3)) {
      this.#gone.add(name);
      node.end(thing("session", name));
    } else node.letGo(thing("session", name));
  }

  #connect(name: string, node: ModelNode): void {
    this.#connected.set(name, node);
    // A client has nothing to resume before its `welcome`, and that waits for the record.
    const resumed = this.#begun.has(name) || this.#model.histories().has(name);
    node.take(thing("session", name), { resumed });
    if (!node.knows) this.#begun.add(name);
  }

  /** What was told until now is told to nobody any more: all that has begun is from before. */
  beforeNext(): void {
    const names = [...this.#connected.keys(), ...this.#model.histories().keys()];
    for (const name of names) this.#begun.add(name);
    this.#model.events.splice(0);
  }

  /** The node comes to know of the endpoint, and takes up what it has. */
  learn(node: ModelNode): void {
    node.learn();
    for (const [name, nodes] of this.#subscribed) {
      if (nodes.has(node)) node.adopt(thing("channel", name));
    }
    for (const [name, on] of this.#connected) if (on === node) node.adopt(thing("session", name));
  }

  /** What is there now; sessions also while they are away for a moment. */
  get there(): ReadonlySet<string> {
    const occupied = CHANNELS.filter((name) => this.isThere(name));
    return new Set([...occupied, ...this.#begun]);
  }

  /** It is resumed while its former connection still seems to be there. */
  #moves(name: string, from: ModelNode, to: ModelNode): void {
    from.letGo(thing("session", name));
    this.#connect(name, to);
  }

  #actChannel(): void {
    const { random, living } = this.#model;
    const able = living.filter(({ isFrozen }) => !isFrozen);
    if (able.length === 0) return;
    const [name, node] = [random.pick(CHANNELS), random.pick(able)];
    const nodes = this.#subscribed.get(name);
    if (nodes?.delete(node)) return node.letGo(thing("channel", name));
    nodes?.add(node);
    node.take(thing("channel", name));
  }

  died(node: ModelNode): void {
    for (const [name, on] of this.#connected) if (on === node) this.#connected.delete(name);
    for (const nodes of this.#subscribed.values()) nodes.delete(node);
  }

  isThere(name: string): boolean {
    return this.#connected.has(name) || (this.#subscribed.get(name)?.size ?? 0) > 0;
  }
}

const BEGINS = new Set(["session.connected", "channel.occupied", "member.joined"]);

/** What is wrong with what was told of one thing; undefined: nothing. */
function problemOf(
  name: string,
  events: readonly WebhookEvent[],
  wasThere: boolean,
): string | undefined {
  // Of what was there before the endpoint the first thing that is told may be its end.
  const isMissing = wasThere && events[0] !== undefined && !BEGINS.has(events[0].type);
  const all = isMissing ? events.slice(1) : events;
  for (const [index, { type, data }] of all.entries()) {
    const isBegin = BEGINS.has(type);
    if (isBegin !== (index % 2 === 0)) return `${name}: ${type} is number ${index}`;
    if (!isBegin && data["life"] !== all[index - 1]?.data["life"]) {
      return `${name}: ${type} is of another life`;
    }
  }
  return undefined;
}

/** The same of all, and against what is so. */
function problemIn(
  model: Model,
  crowd: Crowd,
  before: ReadonlySet<string> = new Set(),
): string | undefined {
  for (const [name, events] of model.histories()) {
    const problem = problemOf(name, events, before.has(name));
    if (problem !== undefined) return problem;
    if (BEGINS.has(events.at(-1)?.type ?? "") !== crowd.isThere(name)) {
      return `${name}: told ${events.length} times, and there: ${crowd.isThere(name)}`;
    }
  }
  const untold = [...SESSIONS, ...CHANNELS].find(
    (name) => crowd.isThere(name) && !model.histories().has(name) && !before.has(name),
  );
  return untold && `${untold} is there, and nobody was told`;
}

/** What befalls the nodes and the store. */
function trouble(model: Model, crowd: Crowd): void {
  const { random } = model;
  if (random.chance(0.25)) {
    model.clock.advance(random.between(1, random.chance(0.2) ? 9_000 : 900));
    for (const node of model.living) node.look();
  }
  if (random.chance(0.02)) model.storeAway = !model.storeAway;
  if (random.chance(0.03)) {
    const node = random.pick(model.living);
    node.isFrozen = !node.isFrozen;
  }
  if (random.chance(0.015)) {
    const node = random.pick(model.living);
    node.isDead = true;
    crowd.died(node);
    model.start();
  }
}

async function run(seed: number): Promise<string | undefined> {
  const model = new Model(seed);
  const { random } = model;
  const crowd = new Crowd(model);
  for (let n = 0; n < 3; n++) model.start();
  for (let n = 0; n < 250; n++) {
    if (random.chance(0.5)) crowd.act();
    for (let steps = random.between(0, 12); steps > 0; steps--) await model.step();
    trouble(model, crowd);
  }
  return await ended(model, crowd, new Set());
}

/** Once all is well again, and nothing is under way. */
async function ended(
  model: Model,
  crowd: Crowd,
  before: ReadonlySet<string>,
): Promise<string | undefined> {
  model.storeAway = false;
  for (const node of model.living) node.isFrozen = false;
  await model.pass(ALL_OVER_MS);
  return problemIn(model, crowd, before) ?? problemInTables(model, crowd);
}

/** An endpoint comes at some moment, goes, and another one comes; one node after another hears of it, while all else goes on. */
async function runWithEndpoints(seed: number): Promise<string | undefined> {
  const model = new Model(seed);
  const { random } = model;
  const crowd = new Crowd(model);
  model.isWanted = false;
  for (let n = 0; n < 3; n++) model.start();
  for (let times = 0; times < 2; times++) {
    for (let n = random.between(0, 60); n > 0; n--) {
      crowd.act();
      if (random.chance(0.2)) await model.pass(random.between(1, 9_000));
    }
    const problem = await endpointComes(model, crowd);
    if (problem !== undefined) return problem;
    await endpointGoes(model, crowd);
    await model.pass(ALL_OVER_MS);
    const { lives, holds } = model.tables;
    const stray = [...lives.all(), ...holds.all()];
    if (stray.length > 0) return `kept for nobody: ${JSON.stringify(stray[0])}`;
    crowd.beforeNext();
  }
  return undefined;
}

async function endpointComes(model: Model, crowd: Crowd): Promise<string | undefined> {
  const { random } = model;
  model.isWanted = true;
  let before: ReadonlySet<string> = new Set();
  for (const node of inAnyOrder(model)) {
    // Also what began where nobody knew of it yet.
    before = before.union(crowd.there);
    crowd.learn(node);
    await actSome(model, crowd);
  }
  await model.settle();
  for (let n = 0; n < 100; n++) {
    if (random.chance(0.5)) crowd.act();
    for (let steps = random.between(0, 12); steps > 0; steps--) await model.step();
    trouble(model, crowd);
  }
  return await ended(model, crowd, before);
}

async function endpointGoes(model: Model, crowd: Crowd): Promise<void> {
  model.isWanted = false;
  for (const node of inAnyOrder(model)) {
    node.unlearn();
    await actSome(model, crowd);
  }
  await model.settle();
}

async function actSome(model: Model, crowd: Crowd): Promise<void> {
  const { random } = model;
  for (let n = random.between(0, 4); n > 0; n--) {
    crowd.act();
    for (let steps = random.between(0, 12); steps > 0; steps--) await model.step();
  }
}

function* inAnyOrder({ living, random }: Model): Iterable<ModelNode> {
  const left = [...living];
  while (left.length > 0) {
    const node = random.pick(left);
    left.splice(left.indexOf(node), 1);
    yield node;
  }
}

/** What nobody holds leaves nothing behind. */
function problemInTables(model: Model, crowd: Crowd): string | undefined {
  const { lives, holds } = model.tables;
  const stray = [...lives.all(), ...holds.all()].find(({ name }) => !crowd.isThere(String(name)));
  return stray && `left behind: ${JSON.stringify(stray)}`;
}

describe("lives", () => {
  test("[WH20] whatever races, breaks, stands still and dies, what is told alternates, and ends with what is so", async () => {
    for (let seed = 1; seed <= 80; seed++) {
      expect([seed, await run(seed)]).toEqual([seed, undefined]);
    }
  });

  test("[WH25] endpoints come and go at some moment: nothing is told to be over that is there, the end of all that was there is told, what is told alternates, and nothing is kept for nobody", async () => {
    for (let seed = 1; seed <= 60; seed++) {
      expect([seed, await runWithEndpoints(seed)]).toEqual([seed, undefined]);
    }
  });

  test("[WH20] who is back within the grace time, on the same node or another, has not been away", async () => {
    const model = new Model(1);
    const [first, second] = [model.start(), model.start()];
    const session = thing("session", "s");
    first.take(session);
    await model.settle();
    for (const [from, to] of [
      [first, first],
      [first, second],
      [second, first],
    ] as const) {
      from.letGo(session);
      await model.pass(SESSION_GRACE_MS - 3_000);
      to.take(session);
      await model.pass(SESSION_GRACE_MS * 2);
    }
    expect(model.events.map(({ type }) => type)).toEqual(["session.connected"]);
    first.letGo(session);
    await model.pass(SESSION_GRACE_MS + 1_000);
    expect(model.events.map(({ type }) => type)).toEqual([
      "session.connected",
      "session.disconnected",
    ]);
  });

  test("[WH22] faults 1: who resumes elsewhere within the grace time after their node has died has not been away", async () => {
    const model = new Model(5);
    const [first, second] = [model.start(), model.start()];
    second.take(thing("channel", "c"));
    first.take(thing("session", "s"));
    await model.settle();
    first.isDead = true;
    await model.pass(SESSION_GRACE_MS - 3_000);
    second.take(thing("session", "s"));
    await model.pass(ALL_OVER_MS);
    const told = model.events.map(({ type }) => type);
    expect(told.toSorted()).toEqual(["channel.occupied", "session.connected"]);
  });

  test("[WH20] a goodbye is told at once, also while another node still keeps its place", async () => {
    const model = new Model(2);
    const [first, second] = [model.start(), model.start()];
    const session = thing("session", "s");
    first.take(session);
    await model.settle();
    first.letGo(session);
    second.take(session);
    await model.settle();
    second.end(session);
    await model.settle();
    expect(model.events).toHaveLength(2);
    await model.pass(ALL_OVER_MS);
    expect(model.events).toHaveLength(2);
    expect(model.tables.holds.all()).toEqual([]);
  });

  test("[WH20] faults 12: a node is killed after any number of steps: what it held is over, once, and told by another", async () => {
    for (let steps = 0; steps < 60; steps++) {
      const model = new Model(steps);
      const [first, second] = [model.start(), model.start()];
      const [session, channel] = [thing("session", "s"), thing("channel", "c")];
      second.take(thing("session", "other"));
      await model.settle();
      first.take(session);
      first.take(channel);
      for (let n = 0; n < Math.min(steps, 30); n++) await model.step();
      if (steps > 30) first.letGo(channel);
      if (steps > 30) first.end(session);
      for (let n = 30; n < steps; n++) await model.step();
      first.isDead = true;
      await model.pass(ALL_OVER_MS);
      const counts = [...model.histories()].map(([name, events]) => [name, events.length % 2]);
      const wrong = counts.filter(([name, odd]) => odd !== (name === "other" ? 1 : 0));
      expect([steps, wrong]).toEqual([steps, []]);
      expect([steps, model.tables.holds.all().length]).toEqual([steps, 1]);
    }
  });

  test("[WH20] faults 4: a node that stood still for longer than its lease takes back what it holds", async () => {
    const model = new Model(3);
    const [first] = [model.start(), model.start()];
    const channel = thing("channel", "c");
    first.take(channel);
    await model.settle();
    first.isFrozen = true;
    await model.pass(LEASE_MS + GRACE_MS + 3_000);
    expect(model.events.map(({ type }) => type)).toEqual(["channel.occupied", "channel.vacated"]);
    first.isFrozen = false;
    await model.pass(ALL_OVER_MS);
    expect(model.events.length).toBe(3);
    first.letGo(channel);
    await model.pass(GRACE_MS + 1_000);
    expect(model.events.length).toBe(4);
    expect(model.tables.holds.all()).toEqual([]);
  });

  test("[WH20] the last one leaves while the first one comes: whichever step is when, it ends with what is so", async () => {
    for (let seed = 1; seed <= 400; seed++) {
      const model = new Model(seed);
      const [first, second] = [model.start(), model.start()];
      const channel = thing("channel", "c");
      const told = { about: { thing: "c" }, silent: false };
      const done = [first.lives.take(channel, "first", told)];
      await model.settle();
      done.push(first.lives.letGo(channel, "first"));
      done.push(second.lives.take(channel, "second", told));
      await model.settle();
      await Promise.all(done);
      const types = model.events.map(({ type }) => type.slice("channel.".length)).join();
      const isTold = types === "occupied" || types === "occupied,vacated,occupied";
      expect([seed, types, isTold, model.tables.lives.all().length]).toEqual([
        seed,
        types,
        true,
        1,
      ]);
    }
  });

  test("[WH20] what a node writes after it was buried, and before it dies, is found", async () => {
    const model = new Model(4);
    const [first, second] = [model.start(), model.start()];
    for (const node of [first, second]) node.take(thing("channel", node.name));
    await model.settle();
    first.take(thing("channel", "late"));
    await model.turns();
    first.isFrozen = true;
    await model.pass(LEASE_MS + SESSION_GRACE_MS + 2_000);
    first.isFrozen = false;
    while (!model.tables.holds.all().some(({ name }) => name === "late")) await model.step();
    first.isDead = true;
    await model.pass(120_000);
    expect(model.tables.holds.all().map(({ name }) => name)).toEqual([second.name]);
    await model.pass(600_000);
    expect(model.tables.beats.all()).toHaveLength(1);
    expect(model.tables.places.all()).toHaveLength(1);
  });
});
