import { createFakeClock, type RedisServer } from "@aldis/testkit";
import type { Awaitable } from "../../../awaitable.ts";
import { configSchema } from "../../../config/schema.ts";
import { createCounters } from "../../../observe/counters.ts";
import { openShards } from "../../../redis/shards.ts";
import { OpenCommands } from "../../../redis/test/open-commands.ts";
import type { SessionStoreOptions } from "../../session-store.ts";
import { LiveBook } from "../../test/live-book.ts";
import { RedisSessionStore, type SessionPeers } from "../redis-session-store.ts";

type Handler = (body: unknown) => Awaitable<unknown>;

/** How a node stands to the others: `silent` ones live, as far as anybody knows, and do not answer. */
export type NodeCondition = "alive" | "silent" | "dead";

/** The wires between the nodes of a test, as the bus of a cluster has them, in one process. */
export class TestPeers {
  readonly #handlers = new Map<string, Map<string, Handler>>();
  readonly condition = new Map<string, NodeCondition>();

  of(self: string): SessionPeers {
    const own = new Map<string, Handler>();
    this.#handlers.set(self, own);
    this.condition.set(self, "alive");
    return {
      self,
      isAlive: (node) => (this.condition.get(node) ?? "dead") !== "dead",
      request: async (node, kind, body) => {
        const handler = this.#handlers.get(node)?.get(kind);
        if (this.condition.get(node) !== "alive" || handler === undefined) return { ok: false };
        return { ok: true, body: copyOf(await handler(copyOf(body))) };
      },
      send: (node, kind, body) => {
        const handler = this.#handlers.get(node)?.get(kind);
        if (this.condition.get(node) === "alive") void handler?.(copyOf(body));
      },
      on: (kind, handler) => own.set(kind, handler),
    };
  }
}

/** What is said to another node goes as JSON. */
function copyOf(body: unknown): unknown {
  return body === undefined ? undefined : JSON.parse(JSON.stringify(body));
}

export type SessionNode = ReturnType<SessionCluster["open"]>;

/** `commandTimeoutMs`: by the real clock. Only a test whose Redis goes away may make it short. */
export type SessionClusterOptions = SessionStoreOptions & { readonly commandTimeoutMs?: number };

/** Stores of several nodes over one Redis. */
export class SessionCluster {
  readonly clock = createFakeClock();
  readonly peers = new TestPeers();
  readonly #redis: RedisServer;
  readonly prefix: string;
  readonly #options: SessionClusterOptions;
  readonly #open = new OpenCommands();
  readonly #closing: (() => Promise<void>)[] = [];

  constructor(redis: RedisServer, prefix: string, options: SessionClusterOptions) {
    this.#redis = redis;
    this.prefix = prefix;
    this.#options = options;
  }

  open(self: string) {
    const { clock } = this;
    const shards = openShards(
      configSchema.parse({
        broker: this.#redis.url,
        redis: { prefix: this.prefix, commandTimeoutMs: this.#options.commandTimeoutMs ?? 10_000 },
      }),
    );
    if (shards === undefined) throw new Error("a broker was configured");
    this.#open.watch(shards);
    const live = new LiveBook();
    const counters = createCounters();
    const store = new RedisSessionStore(
      { shards, clock, counters, live, peers: this.peers.of(self) },
      { ...this.#options, recordsPerSecond: 10_000, positionsMs: 3_000 },
    );
    this.#closing.push(async () => {
      await store.close();
      await shards.close();
    });
    return { self, store, live, counters };
  }

  /** Time passes here and in Redis. */
  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    const pass = `for _, key in ipairs(redis.call('KEYS', '${this.prefix}:*')) do
      local left = redis.call('PTTL', key)
      if left >= 0 then redis.call('PEXPIRE', key, math.max(0, left - ${ms})) end
    end`;
    // What was begun before is to be there.
    await this.settle();
    await this.#redis.cli("eval", pass, "0");
  }

  /** The text of a record in Redis; "": there is none. */
  record(id: string): Promise<string> {
    return this.#redis.cli("get", `${this.prefix}:{0}:session:${id}`);
  }

  /** What the nodes have begun to say to Redis has come, and what followed from the answers. */
  settle(): Promise<void> {
    return this.#open.settle();
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0)) await close();
  }
}
