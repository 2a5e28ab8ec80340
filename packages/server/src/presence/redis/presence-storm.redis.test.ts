import { afterAll, beforeAll, expect, test } from "bun:test";
import type { PresenceUser } from "@aldis/protocol";
import { createFakeClock, eventually, type RedisServer, startRedis } from "@aldis/testkit";
import fc from "fast-check";
import { tenant } from "../../broker/broker.contract.ts";
import { carryOut, STEPS } from "../presence.contract.ts";
import { channel } from "../test/bench.ts";
import { PresenceModel, type Step } from "../test/model.ts";
import { TestNode, type Weather } from "./test/nodes.ts";

const ALL = { limit: 500, cursor: undefined };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

type Fault =
  | Step
  | { readonly weather: Weather; readonly node: number }
  | { readonly dies: number }
  | { readonly sleeps: number }
  | { readonly flush: true };

const NODE = fc.nat(2);
const FAULTS: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 12, arbitrary: STEPS },
  {
    weight: 3,
    arbitrary: fc.record({
      weather: fc.constantFrom<Weather>("fine", "unsent", "unanswered"),
      node: NODE,
    }),
  },
  { weight: 1, arbitrary: fc.record({ dies: NODE }) },
  { weight: 1, arbitrary: fc.record({ sleeps: NODE }) },
  { weight: 1, arbitrary: fc.record({ flush: fc.constant(true as const) }) },
);

const FIRST_NODES = new Set(["n0", "n1", "n2"]);

/** Three nodes over which everything goes wrong, beside the plainest model of who is there. */
class Storm {
  readonly clock = createFakeClock();
  readonly model = new PresenceModel(3);
  readonly nodes: TestNode[] = [];
  #names = 0;
  #isFlushed = false;

  async start(): Promise<void> {
    await redis.cli("FLUSHALL");
    for (let n = 0; n < 3; n++) await this.#startNode(n);
  }

  async apply(fault: Fault): Promise<void> {
    if ("weather" in fault) this.#node(fault.node).weather = fault.weather;
    else if ("flush" in fault) await this.#flush();
    else if ("sleeps" in fault) await this.#reap(this.#node(fault.sleeps).name, fault.sleeps + 1);
    else if ("dies" in fault) {
      const { name } = this.#node(fault.dies);
      await this.#node(fault.dies).die();
      this.model.forget(fault.dies);
      await this.#startNode(fault.dies);
      await this.#reap(name, fault.dies + 1);
    } else {
      for (const move of this.model.apply(fault)) carryOut(this.#node(move.node).presence, move);
      const passed = "advance" in fault ? fault.advance : 1;
      this.model.advance(passed);
      this.clock.advance(passed);
      // Some of what is under way is done now, some later.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Everything is fine again, and the nodes have looked. */
  async calm(): Promise<void> {
    for (const node of this.nodes) node.weather = "fine";
    this.model.advance(500);
    this.clock.advance(500);
    for (let look = 0; look < 2; look++) {
      for (const node of this.nodes) {
        if (this.#isFlushed) node.redisIsNew();
        else node.lostLease();
        await node.written();
      }
    }
    this.#isFlushed = false;
    for (const node of this.nodes) await node.hear();
  }

  /** Who shows the list and was there from the start shows what is so. */
  async checkShown(): Promise<void> {
    for (let n = 0; n < 2; n++) await this.calm();
    const there = this.model.body().users.map(({ id }) => id);
    for (const { name, pushes } of this.nodes) {
      const shown = FIRST_NODES.has(name) ? shownAfter(pushes) : undefined;
      if (shown !== undefined) expect(shown).toEqual(there);
    }
  }

  async close(): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
  }

  async #startNode(n: number): Promise<void> {
    const node = new TestNode(`n${this.#names++}`, redis.url, { clock: this.clock });
    this.nodes[n] = node;
    await node.observe();
  }

  async #flush(): Promise<void> {
    this.#isFlushed = true;
    await redis.cli("FLUSHALL");
  }

  async #reap(name: string, by: number): Promise<void> {
    const node = this.#node(by);
    const { weather } = node;
    node.weather = "fine";
    await node.reap(name);
    node.weather = weather;
  }

  #node(n: number): TestNode {
    const node = this.nodes[n % this.nodes.length];
    if (node === undefined) throw new Error("there are three");
    return node;
  }
}

/** What a client that shows the list has made of the pushes; undefined: it is to read the list anew. */
function shownAfter(pushes: TestNode["pushes"]): string[] | undefined {
  const shown = new Map<string, PresenceUser>();
  for (const push of pushes) {
    if (push.event === "many") return undefined;
    if (push.event === "leave") shown.delete(push.user.id);
    else shown.set(push.user.id, push.user);
  }
  return [...shown.keys()].toSorted();
}

test("[PR5] whatever is lost, dies, sleeps or is forgotten: in the end the list is right on all nodes, and so is what clients were told", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(FAULTS, { maxLength: 40 }), async (faults) => {
      const storm = new Storm();
      try {
        await storm.start();
        for (const fault of faults) await storm.apply(fault);
        await storm.calm();
        for (const node of storm.nodes) {
          await eventually(`the list of ${JSON.stringify(faults)}`, async () => {
            await storm.calm();
            const page = await node.presence.read(tenant("default"), channel, ALL);
            return Bun.deepEquals(page, storm.model.body());
          });
        }
        await storm.checkShown();
      } finally {
        await storm.close();
      }
    }),
    { numRuns: 100 },
  );
}, 120_000);
