// The nodes as Redis knows them: one heartbeat tells and reads everything. Made by the composition root, asked by everything that reaches over nodes.
import type { Counters } from "../../observe/counters.ts";
import type { Log } from "../../observe/log.ts";
import type { RandomIds } from "../../random/random.ts";
import type { Shards } from "../../redis/shards.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { NodeSelf } from "../local-node-registry.ts";
import { type NodeRecord, readRecord, writeRecord } from "../node-record.ts";
import type {
  ClusterNode,
  LeaveCause,
  NodeId,
  NodeListener,
  NodeRegistry,
} from "../node-registry.ts";
import { Stillness } from "../stillness.ts";
import { Graves, NOBODY } from "./graves.ts";
import { Marks } from "./marks.ts";
import {
  BEAT,
  type BeatAnswer,
  BURY,
  GOODBYE,
  REGISTRY_KEYS,
  readBeatAnswer,
} from "./registry-scripts.ts";

export type RedisNodeRegistryDeps = {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly counters: Counters;
  readonly log: Log;
};

export type RedisNodeRegistryOptions = {
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  /** How long what a node has left lives after its goodbye. */
  readonly goodbyeGraceMs: number;
};

/** Times that count between two reads that worked: beyond it the observer was away itself. */
const STEP_HEARTBEATS = 2;

type Known = { readonly record: NodeRecord; readonly text: string | undefined };

export class RedisNodeRegistry implements NodeRegistry {
  readonly self: NodeId;
  readonly #me: NodeSelf;
  readonly #deps: RedisNodeRegistryDeps;
  readonly #options: RedisNodeRegistryOptions;
  readonly #startedAtMs: number;
  readonly #keys: readonly string[];
  readonly #markKey: string;
  readonly #listeners: NodeListener[] = [];
  readonly #known = new Map<NodeId, Known>();
  readonly #beats: Stillness;
  readonly #graves: Graves;
  readonly #marks: Marks;
  /** Nodes that an empty Redis does not know yet: they have their lease to tell it. */
  readonly #toReturn = new Set<NodeId>();
  #others: readonly NodeId[] = [];
  #mark: string | undefined;
  #joined = false;
  #everJoined = false;
  #draining = false;
  #timer: Timer | undefined;
  #beating: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  constructor(me: NodeSelf, deps: RedisNodeRegistryDeps, options: RedisNodeRegistryOptions) {
    this.self = me.id;
    this.#me = me;
    this.#deps = deps;
    this.#options = options;
    this.#startedAtMs = deps.clock.nowMs();
    const { keys } = deps.shards.home;
    this.#keys = REGISTRY_KEYS.map((kind) => keys.key(kind));
    this.#markKey = keys.key("mark");
    const stepMaxMs = STEP_HEARTBEATS * options.heartbeatMs;
    this.#beats = new Stillness(stepMaxMs);
    this.#graves = new Graves(
      {
        ...{ shard: deps.shards.home.shard, keys: this.#keys, self: me.id, log: deps.log },
        reap: (node) => this.#reap(node),
      },
      { stepMaxMs, goodbyeGraceMs: options.goodbyeGraceMs },
    );
    this.#marks = new Marks(deps, (shard, partition) => this.#tellNew(shard, partition));
  }

  /** Begins to tell and to read. What is asked before sees this node alone, not joined. */
  start(): void {
    this.#beat();
  }

  get joined(): boolean {
    return this.#joined;
  }

  nodes(): readonly ClusterNode[] {
    const nowMs = this.#deps.clock.monotonicMs();
    const others = Array.from(this.#known, ([id, { record }]) => ({
      ...record,
      id,
      seenMsAgo: nowMs - (this.#beats.changedAtMs(id) ?? nowMs),
    }));
    const own = { ...this.#record(), id: this.self, seenMsAgo: 0 };
    return [...others, own].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  get others(): readonly NodeId[] {
    return this.#others;
  }

  isAlive(node: NodeId): boolean {
    return node === this.self || this.#known.has(node);
  }

  listen(listener: NodeListener): void {
    this.#listeners.push(listener);
  }

  startDraining(): void {
    this.#tellDraining({ draining: true });
  }

  stopDraining(): void {
    this.#tellDraining({ draining: false });
  }

  #tellDraining({ draining }: { readonly draining: boolean }): void {
    if (this.#draining === draining) return;
    this.#draining = draining;
    if (this.#beating === undefined) this.#beat();
  }

  close(): Promise<void> {
    this.#closed ??= this.#goodbye();
    return this.#closed;
  }

  async #goodbye(): Promise<void> {
    this.#timer?.cancel();
    await this.#beating;
    const { shard } = this.#deps.shards.home;
    // Without Redis nobody hears it: the others find out when the lease is over.
    await shard.run(GOODBYE, this.#keys, [this.self]).catch(() => {
      this.#deps.counters.heartbeatsFailed++;
    });
  }

  #record(): NodeRecord {
    const { name, version, role, queues, load } = this.#me;
    return {
      ...{ name, version, role, queues, startedAtMs: this.#startedAtMs, draining: this.#draining },
      ...load(),
    };
  }

  #beat(): void {
    if (this.#closed !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    const { clock } = this.#deps;
    this.#beating = this.#beatOnce().finally(() => {
      this.#beating = undefined;
      if (this.#closed !== undefined) return;
      this.#timer = clock.setTimer(this.#options.heartbeatMs, () => this.#beat());
    });
  }

  /** Never rejects. */
  async #beatOnce(): Promise<void> {
    const { shards, counters, log, random, clock } = this.#deps;
    try {
      const record = writeRecord(this.#record());
      const answer = await shards.home.shard.run(
        BEAT,
        [...this.#keys, this.#markKey],
        [this.self, record, random.id(9)],
      );
      this.#take(readBeatAnswer(answer), clock.monotonicMs());
    } catch (error) {
      counters.heartbeatsFailed++;
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ reason, node: this.self }, "a heartbeat failed");
    }
    this.#marks.check();
  }

  #take(answer: BeatAnswer, nowMs: number): void {
    const isNew = this.#mark !== undefined && this.#mark !== answer.mark;
    this.#mark = answer.mark;
    this.#beats.look(nowMs);
    if (isNew) {
      for (const node of this.#known.keys()) this.#toReturn.add(node);
    }
    this.#takeOthers(answer);
    this.#takeSelf(answer, { isNew });
    this.#graves.look(answer.graves, { nowMs, isAlive: (node) => answer.beats.has(node) });
  }

  #takeSelf({ known, buried }: BeatAnswer, { isNew }: { readonly isNew: boolean }): void {
    const { log } = this.#deps;
    const returns = this.#everJoined && !known && !buried;
    this.#joined = !buried;
    if (buried) return log.warn({ node: this.self }, "the others took this node for dead");
    if (!this.#everJoined)
      log.info({ node: this.self, nodes: this.#known.size + 1 }, "joined the cluster");
    this.#everJoined = true;
    const { shard, partition } = this.#deps.shards.home;
    if (isNew) return this.#tellNew(shard.name, partition);
    if (!returns) return;
    log.warn({ node: this.self }, "back in the cluster: what this node holds is told again");
    for (const listener of this.#listeners) listener.onLostLease?.();
  }

  #takeOthers({ beats, records, graves }: BeatAnswer): void {
    for (const [node, counter] of beats) {
      if (node === this.self) continue;
      const stillMs = this.#beats.stillMs(node, counter);
      this.#toReturn.delete(node);
      this.#note(node, records.get(node));
      if (stillMs >= this.#options.leaseMs) void this.#bury(node, counter);
    }
    for (const node of this.#known.keys()) {
      if (beats.has(node)) continue;
      const counts = this.#toReturn.has(node);
      if (counts && this.#beats.stillMs(node, "missing") < this.#options.leaseMs) continue;
      this.#forget(node, graves.get(node) === NOBODY ? "stopped" : "dead");
    }
  }

  #note(node: NodeId, text: string | undefined): void {
    const former = this.#known.get(node);
    if (former !== undefined && former.text === text) return;
    this.#known.set(node, { text, record: readRecord(node, text) });
    if (former !== undefined) return;
    this.#others = [...this.#known.keys()].sort();
    this.#deps.log.info({ node }, "a node has joined");
    for (const listener of this.#listeners) listener.onJoined?.(node);
  }

  #forget(node: NodeId, cause: LeaveCause): void {
    this.#beats.forget(node);
    this.#toReturn.delete(node);
    if (!this.#known.delete(node)) return;
    this.#others = [...this.#known.keys()].sort();
    this.#deps.log.info({ node, cause }, "a node has left");
    for (const listener of this.#listeners) listener.onLeft?.(node, cause);
  }

  /** Never rejects. Of all who see it at the same time one does it; that it has moved meanwhile shows in the next look. */
  async #bury(node: NodeId, counter: string): Promise<void> {
    const { shards, counters } = this.#deps;
    try {
      const mine = await shards.home.shard.run(BURY, this.#keys, [node, counter, this.self]);
      if (mine !== 1) return;
      counters.nodesReaped++;
      this.#forget(node, "dead");
      this.#graves.clear(node);
    } catch {
      counters.heartbeatsFailed++;
    }
  }

  async #reap(node: NodeId): Promise<void> {
    await Promise.all(this.#listeners.map(async (listener) => listener.onReap?.(node)));
  }

  #tellNew(shard: string, partition: number): void {
    this.#deps.log.warn({ shard, partition }, "this Redis has lost what it held: it is told again");
    for (const listener of this.#listeners) listener.onRedisNew?.(shard, partition);
  }
}
