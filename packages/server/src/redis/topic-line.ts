import type { Redis } from "ioredis";

/** Called for each message of a topic, in the order in which they came, in the turn in which their chunk was read. */
export type TopicListener = (message: string, topic: string) => void;

export type TopicLineOptions = {
  /** Opens a connection of its own. */
  readonly connect: () => Redis;
  /** Topics of a Redis Cluster that stay with their slot. */
  readonly sharded: boolean;
  /** Everything is subscribed to, for the first time or again: what was published before was not heard. */
  readonly onBuilt: () => void;
  /** A slot has gone to another server. */
  readonly onMoved: () => void;
};

/** Topics that one command subscribes to; those of a Redis Cluster go one by one, as each command has one slot. */
const TOPICS_PER_COMMAND = 500;

/**
 * One connection to hear topics by. What is wanted is kept here, and subscribed to anew whenever the connection is: so a subscription is
 * confirmed once, on the first connection that holds.
 */
export class TopicLine {
  readonly #options: TopicLineOptions;
  readonly #topics = new Map<string, TopicListener>();
  readonly #patterns = new Map<string, TopicListener>();
  /** Wanted, and not asked for on this connection yet. */
  readonly #pending = new Set<string>();
  /** Asked for, and not confirmed. */
  readonly #unconfirmed = new Set<string>();
  #link: Redis;
  /** All that is wanted is confirmed on this connection. */
  #isBuilt = false;
  #waiting: { readonly name: string; readonly done: () => void }[] = [];
  #batch: Promise<void> | undefined;
  #closed = false;
  /** Connections that were made after the first. */
  rebuilds = -1;

  constructor(options: TopicLineOptions) {
    this.#options = options;
    this.#link = this.#open();
  }

  get isBuilt(): boolean {
    return this.#isBuilt;
  }

  get size(): number {
    return this.#topics.size + this.#patterns.size;
  }

  topics(): Iterable<[string, TopicListener]> {
    return this.#topics;
  }

  /** Done when Redis has confirmed it, on whichever connection. */
  async subscribe(topic: string, listener: TopicListener): Promise<void> {
    this.#topics.set(topic, listener);
    await this.#want(topic);
  }

  unsubscribe(topic: string): void {
    this.#topics.delete(topic);
    this.#drop(topic, this.#options.sharded ? "sunsubscribe" : "unsubscribe");
  }

  async subscribePattern(pattern: string, listener: TopicListener): Promise<void> {
    this.#patterns.set(pattern, listener);
    await this.#want(pattern);
  }

  unsubscribePattern(pattern: string): void {
    this.#patterns.delete(pattern);
    this.#drop(pattern, "punsubscribe");
  }

  /** Asks again for what was refused: a slot may have been on its way. */
  retry(): void {
    if (!this.#isBuilt || this.#unconfirmed.size === 0 || this.#batch !== undefined) return;
    for (const name of this.#unconfirmed) this.#pending.add(name);
    this.#batch = this.#askSoon(this.#link).then(() =>
      this.#tell((name) => this.#isConfirmed(name)),
    );
  }

  /** Makes another connection in place of one that has gone deaf. */
  rebuild(): void {
    this.#discard();
    this.#link = this.#open();
  }

  close(): void {
    this.#closed = true;
    this.#topics.clear();
    this.#patterns.clear();
    this.#discard();
    this.#tell(() => true);
  }

  #open(): Redis {
    const link = this.#options.connect();
    const onTopic = (topic: string, message: string) => this.#topics.get(topic)?.(message, topic);
    link.on("message", onTopic);
    link.on("smessage", onTopic);
    link.on("pmessage", (pattern: string, topic: string, message: string) =>
      this.#patterns.get(pattern)?.(message, topic),
    );
    // It comes back by itself; without a listener it would be printed.
    link.on("error", () => {});
    link.on("moved", () => this.#options.onMoved());
    link.on("close", () => {
      if (this.#link === link) this.#isBuilt = false;
    });
    link.on("ready", () => {
      if (this.#link === link) this.#build(link).catch(() => link.stream?.destroy());
    });
    return link;
  }

  #discard(): void {
    this.#isBuilt = false;
    const { stream } = this.#link;
    this.#link.removeAllListeners();
    this.#link.on("error", () => {});
    this.#link.disconnect();
    // A peer that is not there any more answers no goodbye.
    stream?.destroy();
  }

  /** Asks for all that is wanted, what is added meanwhile among it. */
  async #build(link: Redis): Promise<void> {
    this.#isBuilt = false;
    this.#unconfirmed.clear();
    for (const name of this.#topics.keys()) this.#pending.add(name);
    for (const name of this.#patterns.keys()) this.#pending.add(name);
    while (this.#pending.size > 0) {
      await this.#askAll(link);
      if (this.#closed || this.#link !== link || link.status !== "ready") return;
    }
    this.#isBuilt = true;
    this.rebuilds++;
    this.#tell((name) => this.#isConfirmed(name));
    this.#options.onBuilt();
  }

  async #want(name: string): Promise<void> {
    this.#pending.add(name);
    if (this.#isBuilt) {
      this.#batch ??= this.#askSoon(this.#link);
      await this.#batch;
      if (this.#isConfirmed(name)) return;
    }
    if (this.#closed) return;
    await new Promise<void>((done) => this.#waiting.push({ name, done }));
  }

  /** One round trip for all of a turn. */
  async #askSoon(link: Redis): Promise<void> {
    await Promise.resolve();
    this.#batch = undefined;
    try {
      await this.#askAll(link);
    } catch {
      // The connection is gone: whoever waits is told by the next.
    }
  }

  async #askAll(link: Redis): Promise<void> {
    const names = [...this.#pending];
    this.#pending.clear();
    for (const name of names) this.#unconfirmed.add(name);
    const asked: Promise<unknown>[] = [];
    for (let from = 0; from < names.length; from += TOPICS_PER_COMMAND) {
      asked.push(this.#ask(link, names.slice(from, from + TOPICS_PER_COMMAND)));
    }
    await Promise.all(asked);
  }

  async #ask(link: Redis, names: readonly string[]): Promise<void> {
    const topics = names.filter((name) => this.#topics.has(name));
    const patterns = names.filter((name) => this.#patterns.has(name));
    if (this.#options.sharded) {
      await Promise.all(topics.map((topic) => this.#askSharded(link, topic)));
      return;
    }
    await Promise.all([
      topics.length > 0 && link.subscribe(...topics),
      patterns.length > 0 && link.psubscribe(...patterns),
    ]);
    if (this.#link === link) for (const name of names) this.#unconfirmed.delete(name);
  }

  async #askSharded(link: Redis, topic: string): Promise<void> {
    try {
      await link.ssubscribe(topic);
      if (this.#link === link) this.#unconfirmed.delete(topic);
    } catch (error) {
      // Its slot has moved, or is moving: the owner of this line is told (`moved`), and takes the topic to another.
      if (link.status !== "ready") throw error;
    }
  }

  #isConfirmed(name: string): boolean {
    return this.#isBuilt && !this.#pending.has(name) && !this.#unconfirmed.has(name);
  }

  #tell(isDone: (name: string) => boolean): void {
    const waiting = this.#waiting;
    this.#waiting = waiting.filter(({ name }) => !isDone(name));
    for (const { name, done } of waiting) if (isDone(name)) done();
  }

  #drop(name: string, command: "unsubscribe" | "sunsubscribe" | "punsubscribe"): void {
    this.#pending.delete(name);
    this.#unconfirmed.delete(name);
    this.#tell((one) => one === name);
    // What is not there any more needs no goodbye, and what still comes is dropped.
    if (this.#isBuilt) this.#link[command](name).catch(() => {});
  }
}
