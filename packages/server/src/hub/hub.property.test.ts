/**
 * The hub and the way into a channel (session/join.ts: interest, history, then live in one turn) over a broker whose
 * answers come when they like. fast-check prints the seed of a failure; run it again with `fc.assert(…, { seed, path })`.
 */
import { expect, test } from "bun:test";
import type { StreamPosition } from "@aldis/protocol";
import { createFakeClock, createSeededRandom } from "@aldis/testkit";
import fc from "fast-check";
import {
  BROKER_LIMITS,
  createRemoteBroker,
  draft,
  KEEP,
  key,
  nextTurn,
  type RemoteBroker,
} from "../broker/broker.contract.ts";
import { MemoryBroker } from "../broker/memory-broker.ts";
import type { Frame } from "./frame.ts";
import type { Hub } from "./hub.ts";
import { type Subscriber, Subscription } from "./subscription.ts";
import { openLoneHub } from "./test/lone-hub.ts";

const CHANNELS = ["chat:a", "chat:b"] as const;
const FROM_START = 0;

/** One attempt of one subscriber to be in a channel, with the offsets that it was sent. */
class Attempt implements Subscriber {
  readonly connectionId: string;
  readonly userId = "ann";
  readonly channel: string;
  /** Whether it asks for everything from the first publication on. */
  readonly fromStart: boolean;
  lastDelivery = 0;
  state: "joining" | "abandoning" | "live" | "over" = "joining";
  subscription: Subscription | undefined;
  start = 0;
  readonly offsets: number[] = [];

  constructor(connectionId: string, channel: string, fromStart: boolean) {
    this.connectionId = connectionId;
    this.channel = channel;
    this.fromStart = fromStart;
  }

  deliver(frame: Frame): void {
    const push = JSON.parse(frame.text) as { data: { offset: number; channel: string } };
    expect([this.state, push.data.channel]).toEqual(["live", this.channel]);
    this.offsets.push(push.data.offset);
  }
}

class Node {
  readonly broker: RemoteBroker;
  readonly hub: Hub;
  readonly attempts: Attempt[] = [];
  readonly #faults: unknown[] = [];

  constructor() {
    const clock = createFakeClock();
    const random = createSeededRandom(1);
    this.broker = createRemoteBroker(
      (deliver) => new MemoryBroker({ clock, random, deliver }, BROKER_LIMITS),
      (to, publication, epoch) => this.hub.deliver(to, publication, epoch),
    );
    this.hub = openLoneHub(this.broker, clock);
  }

  publish(channel: string): void {
    this.#watch(Promise.resolve(this.broker.publish(key(channel), draft({ channel }), KEEP)));
  }

  join(channel: string, fromStart: boolean): void {
    const attempt = new Attempt(`c${this.attempts.length}`, channel, fromStart);
    this.attempts.push(attempt);
    this.#watch(this.#join(attempt));
  }

  async #join(attempt: Attempt): Promise<void> {
    const to = key(attempt.channel);
    const joining = await this.hub.startJoining(to);
    let position: StreamPosition = await this.broker.top(to);
    if (attempt.fromStart) {
      const since = { offset: FROM_START, epoch: position.epoch };
      const recovery = await this.broker.recover(to, since, KEEP);
      expect(recovery.recovered).toBe(true);
      for (const { offset } of recovery.publications) attempt.offsets.push(offset);
      position = recovery.top;
    }
    if (attempt.state === "abandoning") {
      attempt.state = "over";
      this.hub.abandon(joining);
      return;
    }
    attempt.state = "live";
    attempt.start = attempt.fromStart ? FROM_START : position.offset;
    attempt.subscription = new Subscription(attempt, draft(attempt).channel);
    const missed = this.hub.join(joining, attempt.subscription, position);
    if (missed === "again") throw new Error("nothing gets lost here");
    for (const { offset } of missed) attempt.offsets.push(offset);
  }

  leave(index: number): void {
    const attempt = this.attempts[index % Math.max(1, this.attempts.length)];
    if (attempt?.state === "joining") attempt.state = "abandoning";
    if (attempt?.state !== "live" || attempt.subscription === undefined) return;
    attempt.state = "over";
    this.hub.leave(attempt.subscription);
    this.hub.leave(attempt.subscription);
  }

  async settle(): Promise<void> {
    await nextTurn();
    while (this.broker.underWay > 0) {
      this.broker.step(0);
      await nextTurn();
    }
    expect(this.#faults).toEqual([]);
  }

  #watch(work: Promise<unknown>): void {
    work.catch((fault: unknown) => this.#faults.push(fault));
  }
}

/** fast-check makes short ones unless it is told, in which hardly anything happens. */
const LONG = { maxLength: 80, size: "max" } as const;

const channel = fc.constantFrom(...CHANNELS);
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ publish: channel }) },
  { weight: 3, arbitrary: fc.record({ join: channel, fromStart: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ leave: fc.nat(30) }) },
  { weight: 12, arbitrary: fc.record({ step: fc.nat(4) }) },
);

type Action =
  | { readonly publish: string }
  | { readonly join: string; readonly fromStart: boolean }
  | { readonly leave: number }
  | { readonly step: number };

async function run(node: Node, actions: readonly Action[]): Promise<void> {
  for (const step of actions) {
    if ("publish" in step) node.publish(step.publish);
    else if ("join" in step) node.join(step.join, step.fromStart);
    else if ("leave" in step) node.leave(step.leave);
    else if (node.broker.underWay > 0) {
      node.broker.step(step.step);
      await nextTurn();
    }
  }
}

test("P1: however a join is interleaved, everyone sees what comes after their position: in order, all, once", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, LONG), async (actions) => {
      const node = new Node();
      await run(node, actions);
      await node.settle();
      for (const name of CHANNELS) node.publish(name);
      await node.settle();
      for (const { offsets, start, state, channel: name } of node.attempts) {
        if (state === "abandoning") continue;
        expect(offsets).toEqual(Array.from(offsets, (_, i) => start + i + 1));
        const { offset } = await top(node, name);
        if (state === "live") expect(offsets.at(-1)).toBe(offset);
      }
    }),
    { numRuns: 300 },
  );
});

test("P3: however joins and leaves are interleaved, interest is left for those who are there alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(action, LONG), async (actions) => {
      const node = new Node();
      await run(node, actions);
      await node.settle();
      const live = (name: string) =>
        node.attempts.filter((one) => one.state === "live" && one.channel === name).length;
      for (const name of CHANNELS) {
        expect(node.hub.subscriberCount(key(name))).toBe(live(name));
        expect(node.broker.interest({ key: key(name) })).toBe(live(name) > 0 ? 1 : 0);
      }
      expect(node.hub.channelCount).toBe(CHANNELS.filter((name) => live(name) > 0).length);
    }),
    { numRuns: 300 },
  );
});

async function top(node: Node, name: string): Promise<StreamPosition> {
  const position = Promise.resolve(node.broker.top(key(name)));
  await node.settle();
  return await position;
}
