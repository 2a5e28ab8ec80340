import { afterAll, beforeAll, expect, test } from "bun:test";
import { type RedisServer, startRedis } from "@aldis/testkit";
import fc from "fast-check";
import type { ParkedSession } from "../parking.ts";
import { bearer, parked } from "../session-store.contract.ts";
import { MARK } from "../session-store.ts";
import { SessionCluster, type SessionNode } from "./test/session-cluster.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const IDS = ["s1", "s2"];

type Step =
  | { readonly does: "move" | "break" | "end"; readonly id: string }
  | { readonly does: "resume"; readonly id: string; readonly on: readonly number[] }
  | { readonly does: "sleep" | "wake" | "look"; readonly node: number }
  | { readonly does: "wait" };

const id = fc.constantFrom(...IDS);
const node = fc.nat(2);
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ does: fc.constantFrom("move" as const, "break" as const), id }),
    fc.record({ does: fc.constant("end" as const), id }),
    fc.record({
      does: fc.constant("resume" as const),
      id,
      on: fc.uniqueArray(node, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ does: fc.constantFrom("sleep" as const, "wake" as const, "look" as const), node }),
    fc.record({ does: fc.constant("wait" as const) }),
  ),
  { minLength: 5, maxLength: 15 },
);

function at(offset: number): ParkedSession {
  const form = parked("ann");
  const [first] = form.subscriptions;
  if (first === undefined) throw new Error("no subscription");
  return { ...form, subscriptions: [{ ...first, place: { offset, epoch: "e" } }] };
}

function offsetOf({ subscriptions: [first] }: ParkedSession): number {
  const place = first?.place;
  if (place === undefined || place === "lost") throw new Error("no place");
  return place.offset;
}

/** What may be known of a session: how far its client is, and what Redis holds for sure. */
type Known = { reached: number; written: number; over: boolean };

class Model {
  readonly cluster: SessionCluster;
  readonly nodes: SessionNode[];
  readonly known = new Map<string, Known>();
  #offset = 0;

  constructor(cluster: SessionCluster) {
    this.cluster = cluster;
    this.nodes = ["one", "two", "three"].map((name) => cluster.open(name));
    for (const each of IDS) {
      this.known.set(each, { reached: 0, written: 0, over: false });
      this.#connect(0, each, at(0));
    }
  }

  async run(step: Step): Promise<void> {
    switch (step.does) {
      case "move":
        for (const { store, live } of this.#awake()) {
          const session = live.bySession(step.id);
          if (session === undefined) continue;
          session.stands = { ...at(++this.#offset), turn: session.turn };
          this.#of(step.id).reached = this.#offset;
          store.note(session, MARK.changed);
        }
        return;
      case "break":
      case "end":
        return this.#close(step.id, step.does);
      case "resume":
        return await this.#resume(step.id, step.on);
      case "sleep":
      case "wake":
        return this.#sleep(step.node, step.does);
      case "look":
        return this.nodes[step.node]?.store.lookAtAll();
      case "wait":
        return await this.pass();
    }
  }

  /** Everybody who is awake tells and hears what there is. */
  async pass(): Promise<void> {
    for (let tick = 0; tick < 6; tick++) {
      this.cluster.clock.advance(400);
      await this.cluster.settle();
    }
    for (const each of IDS) {
      const [held, ...others] = this.#holders(each).map(({ live }) => live.bySession(each));
      // A sleeper may be further than the record that others went on from.
      if (held && others.length === 0) this.#of(each).written = offsetOf(held.stands);
    }
  }

  async verify(): Promise<void> {
    for (const [index] of this.nodes.entries()) this.#sleep(index, "wake");
    await this.#look();
    this.#atOnePlace(IDS.filter((each) => !this.#of(each).over));
    // Of one that is over there is no record, until sleepers that still have it write theirs: the latest of these stays, of which the others hear when they look again.
    await this.#look();
    this.#atOnePlace(IDS);
  }

  async #look(): Promise<void> {
    for (const { store } of this.nodes) store.lookAtAll();
    await this.pass();
    await this.pass();
  }

  /** One client each, however it came about. */
  #atOnePlace(ids: readonly string[]): void {
    for (const each of ids) {
      const connected = this.nodes.filter(({ live }) => live.bySession(each) !== undefined);
      expect(connected.length).toBeLessThanOrEqual(1);
    }
  }

  #of(each: string): Known {
    const known = this.known.get(each);
    if (known === undefined) throw new Error("not known");
    return known;
  }

  #awake(): SessionNode[] {
    return this.nodes.filter(({ self }) => this.cluster.peers.condition.get(self) === "alive");
  }

  #holders(each: string): SessionNode[] {
    return this.#awake().filter(({ live }) => live.bySession(each) !== undefined);
  }

  #connect(index: number, each: string, stands: ParkedSession): void {
    const place = this.nodes[index];
    if (place === undefined) return;
    place.store.note(place.live.add(each, stands), MARK.changed);
  }

  #close(each: string, how: "break" | "end"): void {
    for (const { store, live } of this.#holders(each)) {
      const session = live.bySession(each);
      if (session === undefined) continue;
      session.end();
      if (how === "break") store.park(each, session.stands);
      else {
        store.end(each);
        this.#of(each).over = true;
      }
    }
  }

  async #resume(each: string, on: readonly number[]): Promise<void> {
    const awake = on.filter((index) => this.#awake().includes(this.nodes[index] as SessionNode));
    await Promise.all(
      awake.map(async (index) => {
        const taken = await this.nodes[index]?.store.take(each, bearer("ann"));
        if (taken === undefined) return;
        const { reached, written } = this.#of(each);
        expect(offsetOf(taken)).toBeGreaterThanOrEqual(written);
        expect(offsetOf(taken)).toBeLessThanOrEqual(reached);
        this.#connect(index, each, taken);
      }),
    );
  }

  /** A node that sleeps is dead to the others; its clients are gone when it wakes, or still there. */
  #sleep(index: number, how: "sleep" | "wake"): void {
    const place = this.nodes[index];
    if (place === undefined) return;
    this.cluster.peers.condition.set(place.self, how === "sleep" ? "dead" : "alive");
    if (how === "wake") place.store.lookAtAll();
  }
}

let runs = 0;

test("[SE10] faults 1, 4, 20: whatever breaks, sleeps and is resumed, a session is at most at one place and never behind its record", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const options = { resumeMs: 600_000, parkedMax: 100 };
      const cluster = new SessionCluster(redis, `model${runs++}`, options);
      const model = new Model(cluster);
      try {
        await model.pass();
        for (const step of all) await model.run(step);
        await model.verify();
      } finally {
        await cluster.close();
      }
    }),
    { numRuns: 400 },
  );
}, 120_000);
