import type { RedisLink } from "./connect.ts";

/** `message` are bytes as they were published: they need not be text. */
export type PlainListener = (message: Buffer) => void;

/**
 * Topics under names that others than gateways publish to by plain `PUBLISH`: on a Redis Cluster too, where it reaches all servers.
 * After the connection was lost they are subscribed to again; what was published meanwhile was not heard.
 */
export class PlainTopics {
  readonly #open: () => RedisLink;
  readonly #listeners = new Map<string, PlainListener>();
  #link: RedisLink;

  constructor(open: () => RedisLink) {
    this.#open = open;
    this.#link = this.#connect();
  }

  /** Done when Redis has confirmed it; a topic has one listener, the latest. */
  async subscribe(topic: string, listener: PlainListener): Promise<void> {
    this.#listeners.set(topic, listener);
    await this.#link.subscribe(topic);
  }

  /** Done when Redis has confirmed it, which may be never; until then its listener hears. */
  async unsubscribe(topic: string): Promise<void> {
    const listener = this.#listeners.get(topic);
    try {
      await this.#link.unsubscribe(topic);
    } finally {
      // It may have been subscribed to again meanwhile.
      if (this.#listeners.get(topic) === listener) this.#forget(topic);
    }
  }

  /** For a connection that has gone deaf: a new one in its place, with the same topics. */
  rebuild(): void {
    this.#link.disconnect();
    this.#link = this.#connect();
    // It is retried until it is done; `close` ends it.
    for (const topic of this.#listeners.keys()) this.#link.subscribe(topic).catch(() => {});
  }

  close(): void {
    this.#listeners.clear();
    this.#link.disconnect();
  }

  /** A connection that was made meanwhile may have it. */
  #forget(topic: string): void {
    this.#listeners.delete(topic);
    this.#link.unsubscribe(topic).catch(() => {});
  }

  #connect(): RedisLink {
    const link = this.#open();
    link.on("error", () => {});
    link.on("messageBuffer", (topic: Buffer, message: Buffer) => {
      // A link that was given up may still have something to say.
      if (link === this.#link) this.#listeners.get(topic.toString())?.(message);
    });
    return link;
  }
}
