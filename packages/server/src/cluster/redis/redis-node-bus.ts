// Messages between nodes over Redis topics: one for each node, and one that all hear.
import { type Counters, countOne } from "../../observe/counters.ts";
import type { Log } from "../../observe/log.ts";
import type { Shards } from "../../redis/shards.ts";
import type { Clock } from "../../time/clock.ts";
import { BusHandlers } from "../bus-handlers.ts";
import { type BusMessage, readMessage, writeMessage } from "../bus-message.ts";
import type { BusAnswer, BusHandler, NodeBus } from "../node-bus.ts";
import type { NodeId } from "../node-registry.ts";
import { PendingRequests } from "./pending-requests.ts";

export type RedisNodeBusDeps = {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Log;
  readonly isAlive: (node: NodeId) => boolean;
};

export type RedisNodeBusOptions = { readonly timeoutMs: number; readonly requestsMax: number };

const ALL = "bus-all";
/** The id of a request whose answer comes too late for sure; those that are waited for count from 1. */
const NOBODY_WAITS = 0;
/** What a peer may say of why it did not answer. */
const PEER_CAUSES = ["unknown", "failed", "unsent"] as const;

export class RedisNodeBus implements NodeBus {
  readonly #self: NodeId;
  readonly #deps: RedisNodeBusDeps;
  readonly #handlers: BusHandlers;
  readonly #pending: PendingRequests;
  readonly #timeoutMs: number;
  /** Nodes that have left a request unanswered, and until when no other is asked of them, monotonic. */
  readonly #silentUntilMs = new Map<NodeId, number>();
  /** Redis did not take a message: until then, monotonic, no request is made that would only wait for it too. */
  #awayUntilMs = 0;

  constructor(self: NodeId, deps: RedisNodeBusDeps, options: RedisNodeBusOptions) {
    this.#self = self;
    this.#deps = deps;
    this.#timeoutMs = options.timeoutMs;
    this.#handlers = new BusHandlers(deps);
    this.#pending = new PendingRequests(
      deps.clock,
      { timeoutMs: options.timeoutMs, max: options.requestsMax },
      (node) => {
        deps.counters.busRequestsTimedOut++;
        this.#silentUntilMs.set(node, deps.clock.monotonicMs() + options.timeoutMs);
      },
    );
  }

  /** Done when this node can be reached; it should not be told to others before. */
  async start(): Promise<void> {
    const { topics } = this.#deps.shards.home.shard;
    const take = (text: string) => this.#take(text);
    await Promise.all([
      topics.subscribe(this.#topic(this.#self), take),
      topics.subscribe(this.#topicOfAll(), take),
    ]);
  }

  on(kind: string, handler: BusHandler): void {
    this.#handlers.on(kind, handler);
  }

  send(node: NodeId, kind: string, body: unknown): void {
    if (node === this.#self) {
      queueMicrotask(() => void this.#handlers.handle(kind, body, node));
      return;
    }
    void this.#publish(this.#topic(node), this.#say(kind, body));
  }

  broadcast(kind: string, body: unknown): void {
    void this.#publish(this.#topicOfAll(), this.#say(kind, body));
  }

  request(node: NodeId, kind: string, body: unknown): Promise<BusAnswer> {
    if (node === this.#self) return this.#handlers.handle(kind, body, node);
    if (!this.#deps.isAlive(node)) return Promise.resolve({ ok: false, cause: "gone" });
    if (this.#awayUntilMs > this.#deps.clock.monotonicMs()) {
      return Promise.resolve({ ok: false, cause: "unsent" });
    }
    if (this.#isSilent(node)) {
      // A batch of a hundred commands shall wait once for a node that hangs, not a hundred times. It is told all the same: it may only be slow.
      void this.#publish(this.#topic(node), this.#ask(kind, body, NOBODY_WAITS));
      return Promise.resolve({ ok: false, cause: "timeout" });
    }
    return new Promise((resolve) => {
      const id = this.#pending.add(node, resolve);
      if (id === undefined) return resolve({ ok: false, cause: "busy" });
      void this.#publish(this.#topic(node), this.#ask(kind, body, id)).then((sent) => {
        if (!sent) this.#pending.settle(id, node, { ok: false, cause: "unsent" });
      });
    });
  }

  #isSilent(node: NodeId): boolean {
    return (this.#silentUntilMs.get(node) ?? 0) > this.#deps.clock.monotonicMs();
  }

  /** To be told when a node has left. */
  forgetNode(node: NodeId): void {
    this.#silentUntilMs.delete(node);
    this.#pending.forgetNode(node);
  }

  async close(): Promise<void> {
    this.#pending.close();
    const { topics } = this.#deps.shards.home.shard;
    const ends = [this.#topic(this.#self), this.#topicOfAll()].map((t) => topics.unsubscribe(t));
    // Without Redis there is nothing to unsubscribe from.
    await Promise.allSettled(ends);
  }

  #say(kind: string, body: unknown): BusMessage {
    return { type: "say", kind, from: this.#self, id: 0, body };
  }

  #ask(kind: string, body: unknown, id: number): BusMessage {
    return { type: "ask", kind, from: this.#self, id, body };
  }

  #topic(node: NodeId): string {
    return this.#deps.shards.home.keys.key("bus", node);
  }

  #topicOfAll(): string {
    return this.#deps.shards.home.keys.key(ALL);
  }

  /** Never rejects; false: it was not sent, or nobody hears that topic. */
  async #publish(topic: string, message: BusMessage): Promise<boolean> {
    const { counters, shards } = this.#deps;
    const text = writeMessage(message);
    if (text === undefined) {
      countOne(counters.busIgnored, "too_large");
      return false;
    }
    try {
      counters.busMessagesSent++;
      await shards.home.shard.publish(topic, text);
      this.#awayUntilMs = 0;
      return true;
    } catch {
      this.#awayUntilMs = this.#deps.clock.monotonicMs() + this.#timeoutMs;
      countOne(counters.busIgnored, "unsent");
      return false;
    }
  }

  #take(text: string): void {
    const message = readMessage(text);
    const { counters } = this.#deps;
    if (message === undefined) return countOne(counters.busIgnored, "malformed");
    if (message.from === this.#self) return;
    counters.busMessagesReceived++;
    this.#silentUntilMs.delete(message.from);
    const { type, kind, from, body, id } = message;
    if (type === "say") void this.#handlers.handle(kind, body, from);
    else if (type === "ask") void this.#answer(message);
    else if (!this.#pending.settle(id, from, answerOf(message))) {
      countOne(counters.busIgnored, "late");
    }
  }

  async #answer({ kind, body, from, id }: BusMessage): Promise<void> {
    const answer = await this.#handlers.handle(kind, body, from);
    const type = answer.ok ? "answer" : "refusal";
    const reply = { kind, from: this.#self, id, type } as const;
    const topic = this.#topic(from);
    const told = answer.ok ? answer.body : answer.cause;
    const sent = await this.#publish(topic, { ...reply, body: told });
    if (!sent) void this.#publish(topic, { ...reply, type: "refusal", body: "unsent" });
  }
}

function answerOf({ type, body }: BusMessage): BusAnswer {
  if (type === "answer") return { ok: true, body };
  return { ok: false, cause: PEER_CAUSES.find((known) => known === body) ?? "failed" };
}
