import type { Clock, Timer } from "../time/clock.ts";
import type { Shard } from "./shard.ts";
import type { TopicLine } from "./topic-line.ts";

export type CanaryDeps = {
  readonly shard: Shard;
  readonly clock: Clock;
  /** Of this process: its canaries have topics of their own. */
  readonly node: string;
  /** Says in a partition's topic what a publish would: rejects when the partition takes none. */
  readonly send: (partition: number, topic: string, body: string) => Promise<void>;
  /** From the sending until it was heard, in seconds. */
  readonly observeLag: (seconds: number) => void;
  /** From the sending until its answer, in seconds. */
  readonly observeRoundTrip: (seconds: number) => void;
  /** A connection to hear by has gone deaf, and is made anew. */
  readonly onDeaf: () => void;
};

/** How often each partition is tried. */
const INTERVAL_MS = 1_000;
/** Without a canary for so long a partition is away; if Redis answers meanwhile, it is the connection to hear by. */
const SILENT_MS = 3_000;

/** What is known of a partition. */
type Partition = {
  heardMs: number;
  /** When the latest that was heard had been sent: one that was held up says nothing about now. */
  wellMs: number;
  /** The latest canary whose sending was answered, by the time of its sending. */
  sentMs: number;
};

/**
 * Sends itself a word through each partition of a shard, the way of a publication: script, topic, connection. So it is known what works,
 * and a connection that is open and brings nothing is found, and replaced.
 */
export class Canary {
  readonly #deps: CanaryDeps;
  readonly #partitions: Partition[];
  /** When a connection was first seen or last replaced: it has its time to be there. */
  readonly #replacedMs = new WeakMap<TopicLine, number>();
  #timer: Timer | undefined;

  constructor(deps: CanaryDeps) {
    this.#deps = deps;
    const never = Number.NEGATIVE_INFINITY;
    this.#partitions = deps.shard.partitions.map(() => ({
      heardMs: never,
      wellMs: never,
      sentMs: never,
    }));
  }

  start(): void {
    const { shard, node } = this.#deps;
    for (const [n, keys] of shard.partitions.entries()) {
      // A line keeps what is wanted, and asks for it when it can.
      shard.topics
        .subscribe(keys.key("canary", node), (body) => this.#onHeard(n, body))
        .catch(() => {});
    }
    // A server that has taken over hears of this node at once.
    shard.onReady(() => this.#sendAll());
    this.#tick();
  }

  /** Every partition was heard of lately. */
  get isWell(): boolean {
    const since = this.#deps.clock.monotonicMs() - SILENT_MS;
    return this.#partitions.every(({ wellMs }) => wellMs > since);
  }

  close(): void {
    this.#timer?.cancel();
  }

  #tick(): void {
    this.#timer = this.#deps.clock.setTimer(INTERVAL_MS, () => this.#tick());
    this.#replaceDeaf();
    this.#sendAll();
  }

  #sendAll(): void {
    for (const n of this.#partitions.keys()) {
      // What fails is not heard.
      this.#send(n).catch(() => {});
    }
  }

  async #send(n: number): Promise<void> {
    const { shard, clock, node, send, observeRoundTrip } = this.#deps;
    const keys = shard.partitions[n];
    const partition = this.#partitions[n];
    if (keys === undefined || partition === undefined) return;
    const sentMs = clock.monotonicMs();
    await send(n, keys.key("canary", node), String(sentMs));
    observeRoundTrip((clock.monotonicMs() - sentMs) / 1_000);
    partition.sentMs = sentMs;
  }

  #onHeard(n: number, body: string): void {
    const partition = this.#partitions[n];
    const sentMs = Number(body);
    const nowMs = this.#deps.clock.monotonicMs();
    if (partition === undefined || !(sentMs <= nowMs)) return;
    partition.heardMs = nowMs;
    partition.wellMs = Math.max(partition.wellMs, sentMs);
    this.#deps.observeLag((nowMs - sentMs) / 1_000);
  }

  #sinceMs(line: TopicLine, nowMs: number): number {
    const known = this.#replacedMs.get(line);
    if (known !== undefined) return known;
    this.#replacedMs.set(line, nowMs);
    return nowMs;
  }

  #replaceDeaf(): void {
    const { shard, clock, onDeaf } = this.#deps;
    const nowMs = clock.monotonicMs();
    for (const [n, { heardMs, sentMs }] of this.#partitions.entries()) {
      const line = shard.topics.lineOf(n);
      const since = Math.max(heardMs, this.#sinceMs(line, nowMs));
      // Two that Redis has sent out since, and neither came.
      const isDeaf = nowMs - since >= SILENT_MS - INTERVAL_MS / 2 && sentMs - since >= INTERVAL_MS;
      if (!isDeaf) continue;
      this.#replacedMs.set(line, nowMs);
      onDeaf();
      line.rebuild();
    }
  }
}
