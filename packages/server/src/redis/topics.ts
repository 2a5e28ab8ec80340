import type { Cluster, Redis } from "ioredis";

/** Called for each message of a topic, in the order in which they came, in the turn in which their chunk was read. */
export type TopicListener = (message: string) => void;

/**
 * What this node hears of a shard: topics with one listener each, over one connection. After the connection was lost they are
 * subscribed to again, and whoever must not miss anything is told by {@link onRebuilt}.
 */
export class Topics {
  readonly #link: Redis | Cluster;
  readonly #sharded: boolean;
  readonly #listeners = new Map<string, TopicListener>();
  readonly #rebuilt = new Set<() => void>();

  constructor(link: Redis | Cluster, { sharded }: { readonly sharded: boolean }) {
    this.#link = link;
    this.#sharded = sharded;
    link.on("error", () => {});
    link.on(sharded ? "smessage" : "message", (topic: string, message: string) =>
      this.#listeners.get(topic)?.(message),
    );
    link.on("ready", () => {
      for (const listener of this.#rebuilt) listener();
    });
  }

  /** Done when Redis has confirmed it; a topic has one listener, the latest. */
  async subscribe(topic: string, listener: TopicListener): Promise<void> {
    this.#listeners.set(topic, listener);
    await (this.#sharded ? this.#link.ssubscribe(topic) : this.#link.subscribe(topic));
  }

  async unsubscribe(topic: string): Promise<void> {
    this.#listeners.delete(topic);
    await (this.#sharded ? this.#link.sunsubscribe(topic) : this.#link.unsubscribe(topic));
  }

  /** The connection is there, again or for the first time: what was published meanwhile was not heard. */
  onRebuilt(listener: () => void): void {
    this.#rebuilt.add(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#rebuilt.clear();
    this.#link.disconnect();
  }
}
