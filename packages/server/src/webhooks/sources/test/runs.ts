// Random lives of several nodes: where sessions and subscribers are and how they move about, what befalls nodes and store, and whether what was told of it is right.
import type { WebhookEvent } from "../../recorder.ts";
import {
  ALL_OVER_MS,
  GRACE_MS,
  Model,
  type ModelNode,
  SESSION_GRACE_MS,
  SETTLED_MS,
  thing,
} from "./model.ts";

const SESSIONS = ["s1", "s2", "s3"];
/** Less than the grace time of sessions, as it is by default. */
const RESUME_MS = SESSION_GRACE_MS - GRACE_MS;
const CHANNELS = ["c1", "c2"];

/** Where things really are, and how they move about. */
class Crowd {
  readonly #model: Model;
  /** Of each session the node that has its connection. */
  readonly #connected = new Map<string, ModelNode>();
  readonly #gone = new Set<string>();
  /** On which nodes that knew of the endpoint each thing was. */
  readonly #seen = new Map<string, Set<ModelNode>>();
  /** When the connection of a session broke: it can be resumed for a while. */
  readonly #brokeAtMs = new Map<string, number>();
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
    const brokeAtMs = this.#brokeAtMs.get(name) ?? this.#model.clock.monotonicMs();
    if (this.#model.clock.monotonicMs() - brokeAtMs > RESUME_MS) this.#gone.add(name);
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
    this.#brokeAtMs.set(name, this.#model.clock.monotonicMs());
    if (random.chance(0.3)) {
      this.#gone.add(name);
      node.end(thing("session", name));
    } else node.letGo(thing("session", name));
  }

  #connect(name: string, node: ModelNode): void {
    this.#connected.set(name, node);
    this.#brokeAtMs.delete(name);
    // A client has nothing to resume before its `welcome`, and that waits for the record.
    const resumed = this.#begun.has(name) || this.#model.histories().has(name);
    node.take(thing("session", name), { resumed });
    if (!node.knows) this.#begun.add(name);
    this.#see(name, node);
  }

  #see(name: string, node: ModelNode): void {
    if (!node.knows) return;
    const nodes = this.#seen.get(name) ?? new Set();
    this.#seen.set(name, nodes.add(node));
  }

  /** What was on nodes that have not died since: nothing of it was lost. */
  get surelySeen(): string[] {
    return [...this.#seen]
      .filter(([, nodes]) => [...nodes].some((node) => !node.isDead))
      .map(([name]) => name);
  }

  /** What was told until now is told to nobody any more: all that has begun is from before. */
  beforeNext(): void {
    const names = [
      ...this.#connected.keys(),
      ...this.#brokeAtMs.keys(),
      ...this.#model.histories().keys(),
    ];
    for (const name of names) this.#begun.add(name);
    this.#seen.clear();
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
    this.#see(name, node);
  }

  died(node: ModelNode): void {
    for (const [name, on] of this.#connected) {
      if (on !== node) continue;
      this.#connected.delete(name);
      this.#brokeAtMs.set(name, this.#model.clock.monotonicMs());
    }
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
  const untold = crowd.surelySeen.find((name) => !model.histories().has(name) && !before.has(name));
  return untold && `${untold} was there, and nobody was told`;
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

export async function run(seed: number): Promise<string | undefined> {
  const model = new Model(seed);
  const crowd = new Crowd(model);
  for (let n = 0; n < 3; n++) model.start();
  await live(model, crowd, 250);
  return await ended(model, crowd, new Set(), ALL_OVER_MS);
}

/** Once all is well again, and nothing is under way. */
async function ended(
  model: Model,
  crowd: Crowd,
  before: ReadonlySet<string>,
  overMs = SETTLED_MS,
): Promise<string | undefined> {
  model.storeAway = false;
  for (const node of model.living) node.isFrozen = false;
  await model.pass(overMs);
  return problemIn(model, crowd, before) ?? problemInTables(model, crowd);
}

/** An endpoint comes at some moment, goes, and another one comes; one node after another hears of it, while all else goes on. */
export async function runWithEndpoints(seed: number): Promise<string | undefined> {
  const model = new Model(seed);
  const { random } = model;
  const crowd = new Crowd(model);
  model.endpoint = 0;
  for (let n = 0; n < 3; n++) model.start();
  for (let times = 1; times <= 2; times++) {
    for (let n = random.between(0, 60); n > 0; n--) {
      crowd.act();
      if (random.chance(0.2)) await model.pass(random.between(1, 9_000));
    }
    const problem = await endpointComes(model, crowd, times);
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

async function endpointComes(
  model: Model,
  crowd: Crowd,
  endpoint: number,
): Promise<string | undefined> {
  model.endpoint = endpoint;
  let before: ReadonlySet<string> = new Set();
  for (const node of inAnyOrder(model)) {
    // Also what began where nobody knew of it yet.
    before = before.union(crowd.there);
    crowd.learn(node);
    await actSome(model, crowd);
  }
  await model.settle();
  await live(model, crowd, 100);
  return await ended(model, crowd, before);
}

async function endpointGoes(model: Model, crowd: Crowd): Promise<void> {
  model.endpoint = 0;
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
    if (node.isDead) continue;
    // One that stands still hears of nothing.
    node.isFrozen = false;
    yield node;
  }
}

/** What nobody holds leaves nothing behind. */
function problemInTables(model: Model, crowd: Crowd): string | undefined {
  const { lives, holds } = model.tables;
  const stray = [...lives.all(), ...holds.all()].find(({ name }) => !crowd.isThere(String(name)));
  return stray && `left behind: ${JSON.stringify(stray)}`;
}

async function live(model: Model, crowd: Crowd, times: number): Promise<void> {
  const { random } = model;
  for (let n = 0; n < times; n++) {
    if (random.chance(0.5)) crowd.act();
    for (let steps = random.between(0, 12); steps > 0; steps--) await model.step();
    trouble(model, crowd);
  }
}
