import type { Redis } from "ioredis";
import { partitionIn } from "./keys.ts";
import type { Endpoint } from "./target.ts";
import { TopicLine, type TopicListener } from "./topic-line.ts";

export type { TopicListener } from "./topic-line.ts";

/** Where the topics of a partition are. */
export type Route = {
  readonly ownerOf: (partition: number) => Endpoint | undefined;
  /** Asks the Redis Cluster anew where its slots are; done when it is known. */
  readonly refresh: () => Promise<void>;
};

export type TopicsOptions = {
  readonly connect: (endpoint?: Endpoint) => Redis;
  readonly partitions: number;
  /** A connection was subscribed anew. */
  readonly onRebuilt: () => void;
  /** Of a Redis Cluster; undefined: there is one place for all. */
  readonly route: Route | undefined;
};

/**
 * What this node hears of a shard: topics with one listener each, over one connection, or one to each master of a Redis Cluster. After a
 * connection was lost all is subscribed to again, and whoever must not miss anything is told by {@link onRebuilt}.
 */
export class Topics {
  readonly #options: TopicsOptions;
  readonly #lines = new Map<string, TopicLine>();
  readonly #lineOf: TopicLine[] = [];
  readonly #rebuilt = new Set<() => void>();
  #routing: Promise<void> | undefined;
  #closed = false;

  constructor(options: TopicsOptions) {
    this.#options = options;
    this.place();
  }

  /** Done when Redis has confirmed it; a topic has one listener, the latest. */
  async subscribe(topic: string, listener: TopicListener): Promise<void> {
    await this.#line(topic).subscribe(topic, listener);
  }

  async unsubscribe(topic: string): Promise<void> {
    this.#line(topic).unsubscribe(topic);
  }

  /** All topics that begin with `prefix`; not on a Redis Cluster, whose topics of a slot know no patterns. */
  async subscribePrefix(prefix: string, listener: TopicListener): Promise<void> {
    await this.lineOf(0).subscribePattern(globOf(prefix), listener);
  }

  async unsubscribePrefix(prefix: string): Promise<void> {
    this.lineOf(0).unsubscribePattern(globOf(prefix));
  }

  /** The connection is there, again or for the first time: what was published meanwhile was not heard. */
  onRebuilt(listener: () => void): void {
    this.#rebuilt.add(listener);
  }

  /** The connection that hears the topics of a partition. */
  lineOf(partition: number): TopicLine {
    const line = this.#lineOf[partition];
    if (line === undefined) throw new Error(`no partition ${partition}`);
    return line;
  }

  lines(): Iterable<TopicLine> {
    return this.#lines.values();
  }

  /** Has the topics of each partition heard where its slot is now. */
  place(): void {
    if (this.#closed) return;
    const { partitions, route } = this.#options;
    const moved: Promise<void>[] = [];
    for (let partition = 0; partition < partitions; partition++) {
      const owner = route?.ownerOf(partition);
      const known = this.#lineOf[partition];
      if (known !== undefined && owner === undefined) continue;
      const line = this.#open(owner);
      this.#lineOf[partition] = line;
      if (known !== undefined && known !== line) moved.push(...this.#move(partition, known, line));
    }
    if (moved.length > 0) {
      // What was published on the way was heard by neither. No move rejects: it waits for its line.
      Promise.all(moved).then(
        () => this.#tellRebuilt(),
        () => {},
      );
    }
    const used = new Set(this.#lineOf);
    for (const [name, line] of this.#lines) {
      line.retry();
      // What is on its way to another is heard here until it has arrived.
      if (used.has(line) || line.size > 0) continue;
      this.#lines.delete(name);
      line.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#rebuilt.clear();
    for (const line of this.#lines.values()) line.close();
    this.#lines.clear();
  }

  #line(topic: string): TopicLine {
    return this.lineOf(this.#options.partitions === 1 ? 0 : partitionIn(topic));
  }

  /** Without an owner: wherever the configuration says; there what is of another server is refused, and moves. */
  #open(owner: Endpoint | undefined): TopicLine {
    const name = owner === undefined ? "" : `${owner.host}:${owner.port}`;
    const known = this.#lines.get(name);
    if (known !== undefined) return known;
    const line: TopicLine = new TopicLine({
      connect: () => this.#options.connect(owner),
      sharded: this.#options.route !== undefined,
      onBuilt: () => {
        if (line.rebuilds > 0) this.#options.onRebuilt();
        this.#tellRebuilt();
      },
      onMoved: () => this.#reroute(),
    });
    this.#lines.set(name, line);
    return line;
  }

  /** The old line keeps a topic until the new one has it; what comes over both is dropped as a repeat. */
  #move(partition: number, from: TopicLine, to: TopicLine): Promise<void>[] {
    const going = [...from.topics()].filter(([topic]) => partitionIn(topic) === partition);
    return going.map(async ([topic, listener]) => {
      await to.subscribe(topic, listener);
      // It may have moved on, and back again.
      if (this.lineOf(partition) !== from) from.unsubscribe(topic);
    });
  }

  #tellRebuilt(): void {
    for (const listener of this.#rebuilt) listener();
  }

  /** Once for all that say so at the same time. */
  #reroute(): void {
    const { route } = this.#options;
    if (route === undefined) return;
    this.#routing ??= route.refresh().finally(() => {
      this.#routing = undefined;
      this.place();
    });
  }
}

/** Attack: a name with a `*` would hear the topics of others. */
function globOf(prefix: string): string {
  return `${prefix.replace(/[\\*?[\]^-]/g, "\\$&")}*`;
}
