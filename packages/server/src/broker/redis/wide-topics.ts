import type { Shard } from "../../redis/shard.ts";
import type { Topics } from "../../redis/topics.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { WIDEN_SCRIPT } from "./publish-script.ts";

export type WideTopicsDeps = {
  readonly shard: Pick<Shard, "partitions" | "run"> & {
    readonly topics: Pick<Topics, "subscribe" | "unsubscribe">;
  };
  readonly clock: Clock;
  /** The time that scripts go by, where a test moves it. */
  readonly now: () => number | "";
  readonly onMessage: (message: string) => void;
};

/** How long channels are told in the wide topics after the last node that wants it has said so. */
const LEASE_MS = 30_000;

/** How a node hears prefixes on a Redis Cluster: all that is published in each partition, while it asks for it. */
export class WideTopics {
  readonly #deps: WideTopicsDeps;
  #users = 0;
  #timer: Timer | undefined;
  /** Renewals that failed; the next one makes up for them. */
  failed = 0;

  constructor(deps: WideTopicsDeps) {
    this.#deps = deps;
  }

  async add(): Promise<void> {
    this.#users++;
    this.#timer ??= this.#startTimer();
    const { shard, onMessage } = this.#deps;
    const topics = shard.partitions.map((keys) =>
      shard.topics.subscribe(keys.key("wide"), onMessage),
    );
    try {
      await Promise.all([...topics, this.#ask()]);
    } catch (error) {
      // Whoever is refused does not say that it leaves.
      this.remove();
      throw error;
    }
  }

  remove(): void {
    if (--this.#users > 0) return;
    this.close();
    const { shard } = this.#deps;
    for (const keys of shard.partitions) {
      shard.topics.unsubscribe(keys.key("wide")).catch(() => this.failed++);
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #ask(): Promise<void> {
    const { shard, now } = this.#deps;
    await Promise.all(
      shard.partitions.map((keys) =>
        shard.run(WIDEN_SCRIPT, [keys.key("part")], [now(), LEASE_MS]),
      ),
    );
  }

  #startTimer(): Timer {
    return this.#deps.clock.setTimer(LEASE_MS / 3, () => {
      this.#timer = this.#startTimer();
      this.#ask().catch(() => this.failed++);
    });
  }
}
