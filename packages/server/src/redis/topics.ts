import type { Cluster, Redis } from "ioredis";

/** Called for each message of a topic, in the order in which they came, in the turn in which their chunk was read. */
export type TopicListener = (message: string, topic: string) => void;

/**
 * What this node hears of a shard: topics with one listener each, over one connection. After the connection was lost they are
 * subscribed to again, and whoever must not miss anything is told by {@link onRebuilt}.
 */
export class Topics {
  readonly #link: Redis | Cluster;
  readonly #sharded: boolean;
  readonly #listeners = new Map<string, TopicListener>();
  readonly #patterns = new Map<string, TopicListener>();
  readonly #rebuilt = new Set<() => void>();

  constructor(link: Redis | Cluster, { sharded }: { readonly sharded: boolean }) {
    this.#link = link;
    this.#sharded = sharded;
    link.on("error", () => {});
    link.on(sharded ? "smessage" : "message", (topic: string, message: string) =>
      this.#listeners.get(topic)?.(message, topic),
    );
    link.on("pmessage", (pattern: string, topic: string, message: string) =>
      this.#patterns.get(pattern)?.(message, topic),
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

  /** All topics that begin with `prefix`; not on a Redis Cluster, whose topics of a slot know no patterns. */
  async subscribePrefix(prefix: string, listener: TopicListener): Promise<void> {
    const pattern = globOf(prefix);
    this.#patterns.set(pattern, listener);
    await this.#link.psubscribe(pattern);
  }

  async unsubscribePrefix(prefix: string): Promise<void> {
    const pattern = globOf(prefix);
    this.#patterns.delete(pattern);
    await this.#link.punsubscribe(pattern);
  }

  /** The connection is there, again or for the first time: what was published meanwhile was not heard. */
  onRebuilt(listener: () => void): void {
    this.#rebuilt.add(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#patterns.clear();
    this.#rebuilt.clear();
    this.#link.disconnect();
  }
}

/** Attack: a name with a `*` would hear the topics of others. */
function globOf(prefix: string): string {
  return `${prefix.replace(/[\\*?[\]^-]/g, "\\$&")}*`;
}
