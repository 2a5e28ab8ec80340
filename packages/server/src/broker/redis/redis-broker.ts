import { createHash } from "node:crypto";
import { publicationJsonAround, type StreamPosition } from "@aldis/protocol";
import { BrokerUnavailable } from "../../broker-unavailable.ts";
import type { Counters } from "../../observe/counters.ts";
import type { RandomIds } from "../../random/random.ts";
import type { Script } from "../../redis/script.ts";
import type { RedisArgument, Shard } from "../../redis/shard.ts";
import { type Place, placeIn, type Shards } from "../../redis/shards.ts";
import type { ChannelKey } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import type {
  Broker,
  Deliver,
  DeliverSignal,
  Draft,
  HistoryOptions,
  HistoryPage,
  HistoryQuery,
  Interest,
  PublishOutcome,
  Recovery,
} from "../broker.ts";
import { type Batch, inBatches, keysOfBatch } from "./batches.ts";
import { envelopeHead, readStored, signalMessage } from "./envelope.ts";
import { Hearing } from "./hearing.ts";
import { KnownTops } from "./known-tops.ts";
import { probeScript, publishScript } from "./publish-script.ts";
import { HISTORY_SCRIPT, RECOVER_SCRIPT, TOP_SCRIPT, TOPS_SCRIPT } from "./read-scripts.ts";
import { Reports } from "./reports.ts";
import { Retaining } from "./retaining.ts";
import { KNOWN_MS } from "./run-scripts.ts";
import { type RunScript, Runs } from "./runs.ts";
import { Sights } from "./sights.ts";

export type RedisBrokerOptions = {
  readonly idempotencyMs: number;
  readonly streamIdleMs: number;
  readonly commandTimeoutMs: number;
};

export type RedisBrokerDeps = {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly counters: Pick<
    Counters,
    "publicationsUnseen" | "brokerMessagesUnknown" | "epochsRenewed"
  >;
  readonly deliver: Deliver;
  /** What was delivered of these channels may have had holes, or is over. */
  readonly onDoubt?: (concerned: (key: ChannelKey) => boolean) => void;
  /** Without it signals go nowhere. */
  readonly deliverSignal?: DeliverSignal;
  /** The times that scripts go by, where a test moves them; else those of the Redis server. */
  readonly times?: () => Times;
};

/** `nowMs` measures how old things are, `atMs` stands in publications. */
export type Times = { readonly nowMs: number; readonly atMs: number };

export type Probe = { readonly topic: string; readonly body: string };

const SERVER_TIMES = { nowMs: "", atMs: "" };
type ByCommand = { readonly PUBLISH: RunScript; readonly SPUBLISH: RunScript };
const PROBE: ByCommand = {
  PUBLISH: (run) => probeScript("PUBLISH", run),
  SPUBLISH: (run) => probeScript("SPUBLISH", run),
};
const PUBLISH: ByCommand = {
  PUBLISH: (run) => publishScript("PUBLISH", run),
  SPUBLISH: (run) => publishScript("SPUBLISH", run),
};
/** Positions that this node remembers for the case that a server loses them. */
const KNOWN_MAX = 20_000;

/**
 * The broker of a cluster: each channel lies in one partition of one Redis, and a script does there in one step what must be one step. Nodes
 * hear what is published by topics; what a topic loses, the stream has.
 */
export class RedisBroker implements Broker {
  readonly #deps: RedisBrokerDeps;
  readonly #options: RedisBrokerOptions;
  readonly #runs: Runs;
  readonly #known: KnownTops;
  readonly #reports: Reports;
  readonly #sights: Sights;
  readonly #hearing: Hearing;
  readonly #retaining: Retaining;

  constructor(deps: RedisBrokerDeps, options: RedisBrokerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#known = new KnownTops(deps.clock, { max: KNOWN_MAX, keepMs: KNOWN_MS });
    this.#runs = new Runs({
      now: () => deps.times?.().nowMs ?? "",
      knowsAll: () => this.#known.isWhole,
      onChanged: (place) => this.#reports.changed(place),
    });
    this.#reports = new Reports({
      ...{ shards: deps.shards, clock: deps.clock, counters: deps.counters, onDoubt: deps.onDoubt },
      tops: () => this.#knownTops(),
      open: (key) => this.#openArguments(key),
    });
    this.#listenForGaps(deps);
    this.#sights = new Sights(deps.clock, {
      timeoutMs: options.commandTimeoutMs,
      onMissed: () => deps.counters.publicationsUnseen++,
    });
    this.#retaining = new Retaining(
      { ...deps, keys: () => this.#hearing.keys(), open: (key) => this.#openArguments(key) },
      options,
    );
    this.#hearing = new Hearing(
      {
        ...deps,
        retain: (key) => this.#retaining.add(key),
        onForgotten: (key, latest) => this.#known.note(key, latest),
        deliver: (key, publication, epoch) => {
          deps.deliver(key, publication, epoch);
          this.#sights.seen(key, epoch, publication.offset);
        },
      },
      { timeoutMs: options.commandTimeoutMs },
    );
  }

  /** What was published while a connection was not there was not heard. */
  #listenForGaps({ shards, onDoubt }: RedisBrokerDeps): void {
    for (const shard of shards.all) {
      shard.topics.onRebuilt(() => onDoubt?.((key) => shards.place(key).shard === shard));
    }
  }

  async publish(key: ChannelKey, draft: Draft, history: HistoryOptions): Promise<PublishOutcome> {
    const place = this.#deps.shards.place(key);
    const sight = this.#hearing.hears(key) ? this.#sights.begin(key) : undefined;
    try {
      const outcome = await this.#publishAt(place, key, draft, history);
      this.#known.note(key, outcome);
      if (sight !== undefined && outcome.kind === "published" && !outcome.duplicate) {
        await this.#sights.until(sight, outcome.epoch, outcome.offset);
      }
      return outcome;
    } finally {
      if (sight !== undefined) this.#sights.end(sight);
    }
  }

  async history(
    key: ChannelKey,
    query: HistoryQuery,
    history: HistoryOptions,
  ): Promise<HistoryPage> {
    const { limit, before = "", after = "" } = query;
    const answer = await this.#read(key, HISTORY_SCRIPT, history, [limit, before, after]);
    return { publications: answer.publications, top: answer.top, more: answer.flag };
  }

  async recover(
    key: ChannelKey,
    since: StreamPosition,
    history: HistoryOptions,
  ): Promise<Recovery> {
    const answer = await this.#read(key, RECOVER_SCRIPT, history, [since.epoch, since.offset]);
    return { publications: answer.publications, top: answer.top, recovered: answer.flag };
  }

  async top(key: ChannelKey): Promise<StreamPosition> {
    const place = this.#deps.shards.place(key);
    const answer = await place.shard.run(TOP_SCRIPT, keysOf(place, key), this.#openArguments(key));
    return positionOf(answer);
  }

  async tops(keys: readonly ChannelKey[]): Promise<(StreamPosition | undefined)[]> {
    const found = new Map<ChannelKey, StreamPosition>();
    const batches = inBatches(this.#deps.shards, keys);
    // What cannot be had now is left out.
    await Promise.allSettled(batches.map((batch) => this.#topsOf(batch, found)));
    return keys.map((key) => found.get(key));
  }

  subscribe(interest: Interest): Promise<void> | undefined {
    return this.#hearing.add(interest);
  }

  unsubscribe(interest: Interest): void {
    this.#hearing.remove(interest);
  }

  signal(key: ChannelKey, feature: string, body: string): void {
    const { shard, keys } = this.#deps.shards.place(key);
    const command = shard.kind === "cluster" ? "SPUBLISH" : "PUBLISH";
    // At most once: the shard has counted what failed.
    shard.call(command, keys.key("topic", key), signalMessage(feature, body)).catch(() => {});
  }

  /** Says `body` in a topic of a partition, the way that a publication goes; rejects when none could go there now. */
  async probe(shard: Shard, partition: number, { topic, body }: Probe): Promise<void> {
    const place = placeIn(shard, partition);
    const script = shard.kind === "cluster" ? PROBE.SPUBLISH : PROBE.PUBLISH;
    const seen = await this.#runs.run(place, script, [place.keys.key("part"), topic], [body]);
    this.#runs.note(place, Number(seen));
  }

  /** Channels that this node is interested in; those in Redis are not counted. */
  get streamCount(): number {
    return this.#hearing.size;
  }

  /** What this process holds of histories: nothing. */
  get historyBytes(): number {
    return 0;
  }

  close(): void {
    this.#reports.close();
    this.#hearing.close();
    this.#retaining.close();
    this.#sights.close();
  }

  async #publishAt(
    place: Place,
    key: ChannelKey,
    draft: Draft,
    history: HistoryOptions,
  ): Promise<PublishOutcome> {
    const keys = [...keysOf(place, key), place.keys.key("topic", key), place.keys.key("wide")];
    const { idempotencyKey } = draft;
    const script = place.shard.kind === "cluster" ? PUBLISH.SPUBLISH : PUBLISH.PUBLISH;
    if (idempotencyKey !== undefined)
      keys.push(place.keys.key("once", onceName(key, idempotencyKey)));
    const untilMs = this.#deps.clock.monotonicMs() + 2 * this.#options.commandTimeoutMs;
    for (;;) {
      const answer = await this.#runs.run(
        place,
        script,
        keys,
        this.#publishArguments(key, draft, history),
      );
      const [kind, duplicate, epoch, offset] = listOf(answer);
      if (kind === "p" || kind === "s") {
        return {
          kind: kind === "p" ? "published" : "suppressed",
          duplicate: duplicate === 1,
          epoch: String(epoch),
          offset: Number(offset),
        };
      }
      if (kind === "a") await this.#runs.arrive(place);
      await this.#patience(Number(offset), untilMs);
    }
  }

  /** A server has taken over, and nodes are telling it what they know: that takes a moment. */
  async #patience(waitMs: number, untilMs: number): Promise<void> {
    const { clock } = this.#deps;
    if (clock.monotonicMs() + waitMs > untilMs) {
      throw new BrokerUnavailable("redis: a server has taken over, and is not ready");
    }
    await new Promise<void>((resolve) => clock.setTimer(waitMs + 1, resolve));
  }

  #publishArguments(key: ChannelKey, draft: Draft, history: HistoryOptions): RedisArgument[] {
    const { version = "" } = draft;
    const { nowMs, atMs } = this.#deps.times?.() ?? SERVER_TIMES;
    const { before, after } = publicationJsonAround(draft);
    return [
      ...[nowMs, atMs, before, after, envelopeHead(draft)],
      ...[history.size, history.ttlMs, history.maxBytes],
      ...[this.#options.streamIdleMs, hashText(key), this.#deps.random.id(6)],
      ...[version, this.#options.idempotencyMs, key],
    ];
  }

  *#knownTops(): Iterable<[ChannelKey, StreamPosition]> {
    yield* this.#known.all();
    yield* this.#hearing.tops();
  }

  async #topsOf(batch: Batch, found: Map<ChannelKey, StreamPosition>): Promise<void> {
    const opened = batch.keys.map((key) => this.#openArguments(key));
    const [[time = "", idle = "", , fresh = ""] = []] = opened;
    const args = [time, idle, fresh, "", ...opened.map(([, , hash = ""]) => hash)];
    const answer = listOf(await batch.place.shard.run(TOPS_SCRIPT, keysOfBatch(batch), args));
    for (const [n, key] of batch.keys.entries()) {
      found.set(key, positionOf(answer.slice(2 * n, 2 * n + 2)));
    }
  }

  /** What all scripts that open a channel take first. */
  #openArguments(key: ChannelKey): RedisArgument[] {
    const { nowMs } = this.#deps.times?.() ?? SERVER_TIMES;
    return [nowMs, this.#options.streamIdleMs, hashText(key), this.#deps.random.id(6)];
  }

  async #read(
    key: ChannelKey,
    script: Script,
    { size, ttlMs, maxBytes }: HistoryOptions,
    rest: readonly RedisArgument[],
  ) {
    const place = this.#deps.shards.place(key);
    const args = [...this.#openArguments(key), size, ttlMs, maxBytes, ...rest];
    const answer = await place.shard.run(script, keysOf(place, key), args);
    const [, , flag, first, ...stored] = listOf(answer);
    const publications = stored.map((text, n) => readStored(key, Number(first) + n, String(text)));
    const top = positionOf(answer);
    this.#known.note(key, top);
    return { top, flag: flag === 1, publications };
  }
}

/** Where a channel's position and stream lie, and what its partition has once. */
function keysOf({ keys }: Place, key: ChannelKey): string[] {
  return [keys.key("meta", key), keys.key("stream", key), keys.key("part")];
}

/** Of one length, and printable, whatever the key is. */
function onceName(key: ChannelKey, idempotencyKey: string): string {
  return createHash("sha256")
    .update(`${key} ${distinct(idempotencyKey)}`)
    .digest("base64url")
    .slice(0, 24);
}

/** Attack: halves of surrogate pairs are all one in UTF-8, so that a key would swallow what was published with another. */
function distinct(text: string): string {
  return text.isWellFormed() ? text : JSON.stringify(text);
}

/** Keeps epochs of channels apart: a position that a client took from another channel should not pass. */
function hashText(key: ChannelKey): string {
  return Bun.hash.xxHash32(key).toString(36);
}

function positionOf(answer: unknown): StreamPosition {
  const [epoch, offset] = listOf(answer);
  return { epoch: String(epoch), offset: Number(offset) };
}

function listOf(answer: unknown): readonly unknown[] {
  if (Array.isArray(answer)) return answer;
  throw new BrokerUnavailable("redis: an answer that is no list");
}
