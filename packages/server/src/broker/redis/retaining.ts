import type { RedisArgument } from "../../redis/shard.ts";
import type { Shards } from "../../redis/shards.ts";
import type { ChannelKey } from "../../tenant/tenant.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { inBatches, keysOfBatch } from "./batches.ts";
import { RETAIN_SCRIPT } from "./read-scripts.ts";

export type RetainingDeps = {
  readonly shards: Shards;
  readonly clock: Clock;
  /** The channels that somebody is subscribed to. */
  readonly keys: () => Iterable<ChannelKey>;
  /** Time, idle, hash, fresh for a channel. */
  readonly open: (key: ChannelKey) => readonly RedisArgument[];
};

/** Life of a channel that nothing was published in, after the last who was subscribed to it has gone; longer than a session may be away. */
const QUIET_MS = 300_000;

/** Keeps the positions of channels in Redis from being forgotten while somebody is subscribed to them. */
export class Retaining {
  readonly #deps: RetainingDeps;
  readonly #quietMs: number;
  readonly #pending = new Set<ChannelKey>();
  #timer: Timer;
  #closed = false;
  /** Scripts that failed: the next round makes up for them. */
  failed = 0;

  constructor(deps: RetainingDeps, { streamIdleMs }: { readonly streamIdleMs: number }) {
    this.#deps = deps;
    this.#quietMs = Math.min(QUIET_MS, streamIdleMs);
    this.#timer = this.#startTimer();
  }

  /** The channel has come; those of one turn go together. */
  add(key: ChannelKey): void {
    this.#pending.add(key);
    if (this.#pending.size === 1) queueMicrotask(() => this.#retainPending());
  }

  close(): void {
    this.#closed = true;
    this.#timer.cancel();
    this.#pending.clear();
  }

  #startTimer(): Timer {
    return this.#deps.clock.setTimer(this.#quietMs / 3, () => {
      this.#timer = this.#startTimer();
      this.#retain(this.#deps.keys()).catch(() => this.failed++);
    });
  }

  #retainPending(): void {
    const keys = [...this.#pending];
    this.#pending.clear();
    this.#retain(keys).catch(() => this.failed++);
  }

  /** One script after the other: a node with many channels does not hold Redis up. */
  async #retain(keys: Iterable<ChannelKey>): Promise<void> {
    for (const batch of inBatches(this.#deps.shards, keys)) {
      if (this.#closed) return;
      const args = batch.keys.map((key) => this.#deps.open(key));
      const [[time = "", idle = "", , fresh = ""] = []] = args;
      const hashes = args.map(([, , hash = ""]) => hash);
      const script = [time, idle, fresh, this.#quietMs, ...hashes];
      await batch.place.shard.run(RETAIN_SCRIPT, keysOfBatch(batch), script);
    }
  }
}
