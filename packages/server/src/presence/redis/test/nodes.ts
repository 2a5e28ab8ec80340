// Nodes of a cluster as far as presence is concerned, over a real Redis, with a clock that is moved by hand.
import type { PresencePush } from "@aldis/protocol";
import { createFakeClock, eventually, type FakeClock } from "@aldis/testkit";
import { draft, key, tenant } from "../../../broker/broker.contract.ts";
import { BrokerUnavailable } from "../../../broker-unavailable.ts";
import { Namespaces } from "../../../channel/namespaces.ts";
import { type NamespaceInput, namespaceSchema } from "../../../config/namespace-schema.ts";
import { configSchema } from "../../../config/schema.ts";
import { Signals } from "../../../hub/signals.ts";
import { Subscription } from "../../../hub/subscription.ts";
import { openLoneHub } from "../../../hub/test/lone-hub.ts";
import { type Counters, createCounters } from "../../../observe/counters.ts";
import { openShards, type Shards } from "../../../redis/shards.ts";
import { GRACE_MS } from "../../test/bench.ts";
import type { PresenceNodes } from "../presence-nodes.ts";
import { PRESENCE_SIGNAL, RedisPresence } from "../redis-presence.ts";

export const WIRE = { topicKind: "topic", envelope: `s${PRESENCE_SIGNAL} ` };

export type NodeOptions = {
  readonly clock?: FakeClock;
  readonly input?: NamespaceInput;
  readonly pushIntervalMs?: number;
  readonly pushMaxUsers?: number;
  readonly commandTimeoutMs?: number;
};

type Listener = Parameters<PresenceNodes["listen"]>[0];

/** What becomes of the next script calls of a node: it is not sent, its answer does not come, or it lies in a buffer until {@link TestNode.arrive}. */
export type Weather = "fine" | "unsent" | "unanswered" | "late";

export class TestNode {
  readonly name: string;
  readonly clock: FakeClock;
  readonly hub = openLoneHub();
  readonly counters: Counters = createCounters();
  readonly shards: Shards;
  readonly presence: RedisPresence;
  /** What somebody who is subscribed here was told. */
  readonly pushes: PresencePush[] = [];
  readonly dead = new Set<string>();
  weather: Weather = "fine";
  readonly #late: (() => Promise<unknown>)[] = [];
  readonly #signals = new Signals({ signal: () => {} });
  readonly #listeners: Listener[] = [];
  #barriers = 0;
  #passed = 0;

  constructor(name: string, url: string | readonly string[], options: NodeOptions = {}) {
    this.name = name;
    this.clock = options.clock ?? createFakeClock();
    const { broker, redis } = configSchema.parse({
      broker: url,
      redis: { commandTimeoutMs: options.commandTimeoutMs ?? 1_000 },
    });
    const shards = openShards({ broker, redis });
    if (shards === undefined) throw new Error("shards were configured");
    this.shards = shards;
    for (const shard of shards.all) this.#spoil(shard);
    const namespaces = new Namespaces(
      { chat: namespaceSchema.parse(options.input ?? {}) },
      namespaceSchema.parse({}),
    );
    const { clock, hub, counters } = this;
    this.presence = new RedisPresence(
      {
        ...{ clock, hub, counters, shards, namespaces, signals: this.#signals, wire: WIRE },
        nodes: {
          self: name,
          isAlive: (node) => !this.dead.has(node),
          listen: (listener) => void this.#listeners.push(listener),
        },
      },
      {
        graceMs: GRACE_MS,
        pushIntervalMs: options.pushIntervalMs ?? 0,
        pushMaxUsers: options.pushMaxUsers ?? 100,
      },
    );
  }

  /** Has somebody subscribed to a channel here who is not present. */
  async observe(name = "chat:a", of = "default"): Promise<void> {
    const to = key(name, of);
    const { shard, keys } = this.shards.place(to);
    await shard.topics.subscribe(keys.key(WIRE.topicKind, to), (message) => {
      const end = message.indexOf(" ");
      this.#signals.deliver(to, message.slice(1, end), message.slice(end + 1));
    });
    const joining = this.hub.startJoining(to);
    if (joining instanceof Promise) throw new Error("answers at once here");
    const observer = {
      connectionId: `observer of ${this.name}`,
      userId: "observer",
      lastDelivery: 0,
      deliver: ({ text }: { readonly text: string }) =>
        void this.pushes.push((JSON.parse(text) as { data: PresencePush }).data),
    };
    const { channel } = draft({ channel: name });
    this.hub.join(joining, new Subscription(observer, channel), { offset: 0, epoch: "e" });
  }

  /** What was done here is in Redis, and what Redis has told by then was heard. */
  async settle(channels?: readonly string[]): Promise<void> {
    await this.written(channels);
    await this.hear();
  }

  async written(channels: readonly string[] = ["chat:a"]): Promise<void> {
    const names = channels.map((name) => draft({ channel: name }).channel);
    await eventually(`${this.name} to be written`, async () => {
      try {
        return await this.presence.counts(tenant("default"), names);
      } catch (error) {
        if (error instanceof BrokerUnavailable) return undefined;
        throw error;
      }
    });
  }

  /** Signals come in order: behind one of this node's own there is none left that was sent before. */
  async hear(): Promise<void> {
    for (const shard of this.shards.all) {
      const topic = shard.partitions[0].key("barrier", this.name);
      await shard.topics.subscribe(topic, () => this.#passed++);
      this.#barriers++;
      await shard.call("PUBLISH", topic, "");
    }
    await eventually("the barrier", () => this.#passed === this.#barriers);
  }

  heard(): PresencePush[] {
    return this.pushes.splice(0);
  }

  async reap(node: string): Promise<void> {
    for (const { onReap } of this.#listeners) await onReap(node);
  }

  lostLease(): void {
    for (const { onLostLease } of this.#listeners) onLostLease();
  }

  redisIsNew(): void {
    for (const { onRedisNew } of this.#listeners) {
      for (const { name } of this.shards.all) onRedisNew(name);
    }
  }

  /** What lay in a buffer comes to Redis. */
  async arrive(): Promise<void> {
    for (const call of this.#late.splice(0)) await call();
  }

  /** The process is killed: it does nothing more, and nothing of it is removed. */
  async die(): Promise<void> {
    this.weather = "unsent";
    await this.presence.close();
    await this.shards.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.presence.close();
    await this.shards.close();
  }

  #spoil(shard: Shards["all"][0]): void {
    const run = shard.run.bind(shard);
    shard.run = async (...args) => {
      if (this.weather === "late") this.#late.push(() => run(...args));
      if (this.weather === "unsent" || this.weather === "late")
        throw new BrokerUnavailable("not sent");
      const answer = await run(...args);
      if (this.weather === "unanswered") throw new BrokerUnavailable("no answer");
      return answer;
    };
  }
}
