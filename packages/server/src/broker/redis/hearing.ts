import type { StreamPosition } from "@aldis/protocol";
import type { Counters } from "../../observe/counters.ts";
import type { Shards } from "../../redis/shards.ts";
import type { TopicListener } from "../../redis/topics.ts";
import type { ChannelKey } from "../../tenant/tenant.ts";
import type { Clock } from "../../time/clock.ts";
import type { Deliver, DeliverSignal, Interest as Wanted } from "../broker.ts";
import { CountedInterest } from "./counted-interest.ts";
import { readPublication, readSignal } from "./envelope.ts";
import { WideTopics } from "./wide-topics.ts";

export type HearingDeps = {
  readonly shards: Shards;
  readonly clock: Clock;
  readonly deliver: Deliver;
  readonly deliverSignal?: DeliverSignal;
  readonly counters: Pick<Counters, "brokerMessagesUnknown">;
  readonly times?: () => { readonly nowMs: number };
  /** Nobody has wanted the channel for a while, and this was the latest that came of it. */
  readonly onForgotten: (key: ChannelKey, latest: StreamPosition) => void;
  /** A channel has come that somebody wants. */
  readonly retain: (key: ChannelKey) => void;
};

const LINGER_MS = 1_000;

/** What this node hears of the topics of channels, alone or by prefix, and hands on once each. Hot. */
export class Hearing {
  readonly #deps: HearingDeps;
  readonly #channels: CountedInterest;
  readonly #prefixes: CountedInterest;
  /** By shard; a single server has patterns. */
  readonly #wide: readonly (WideTopics | undefined)[];

  constructor(deps: HearingDeps, { timeoutMs }: { readonly timeoutMs: number }) {
    this.#deps = deps;
    const common = { lingerMs: LINGER_MS, timeoutMs };
    this.#channels = new CountedInterest(deps.clock, {
      ...common,
      start: (id) => this.#start(id as ChannelKey),
      stop: (id) => this.#stop(id as ChannelKey),
    });
    this.#prefixes = new CountedInterest(deps.clock, {
      ...common,
      start: (prefix) => this.#startPrefix(prefix),
      stop: (prefix) => this.#stopPrefix(prefix),
    });
    const now = () => deps.times?.().nowMs ?? "";
    const onMessage = (message: string) => this.#onWideMessage(message);
    this.#wide = deps.shards.all.map((shard) =>
      shard.kind === "cluster"
        ? new WideTopics({ shard, clock: deps.clock, now, onMessage })
        : undefined,
    );
  }

  add(interest: Wanted): Promise<void> | undefined {
    return "key" in interest
      ? this.#channels.add(interest.key)
      : this.#prefixes.add(interest.prefix);
  }

  remove(interest: Wanted): void {
    if ("key" in interest) this.#channels.remove(interest.key);
    else this.#prefixes.remove(interest.prefix);
  }

  /** Whether what is published in the channel now will come here. */
  hears(key: ChannelKey): boolean {
    return this.#channels.find(key)?.isOn === true || this.#firstPrefix(key) !== undefined;
  }

  get size(): number {
    return this.#channels.size;
  }

  /** The latest that came of each channel. */
  *tops(): Iterable<[ChannelKey, StreamPosition]> {
    for (const { id, epoch, top } of this.#channels.all()) {
      if (top > 0) yield [id as ChannelKey, { epoch, offset: top }];
    }
  }

  *keys(): Iterable<ChannelKey> {
    for (const { id } of this.#channels.all()) yield id as ChannelKey;
  }

  close(): void {
    this.#channels.close();
    this.#prefixes.close();
    for (const wide of this.#wide) wide?.close();
  }

  readonly #onMessage = (message: string, topic: string): void => {
    this.#take(keyOf(topic), message);
  };

  /** A channel that is heard by itself as well, or by several prefixes, is handed on once. */
  #onPrefixMessage(prefix: string, message: string, topic: string): void {
    const key = keyOf(topic);
    if (message.startsWith("s")) return;
    if (this.#channels.find(key) === undefined && this.#firstPrefix(key) !== prefix) return;
    this.#take(key, message);
  }

  #onWideMessage(message: string): void {
    const end = message.indexOf(" ");
    const key = message.slice(0, end) as ChannelKey;
    if (this.#channels.find(key) === undefined && this.#firstPrefix(key) === undefined) return;
    this.#take(key, message.slice(end + 1));
  }

  #take(key: ChannelKey, message: string): void {
    if (message.startsWith("p")) {
      const { epoch, publication } = readPublication(key, message);
      const interest = this.#channels.find(key);
      if (interest !== undefined) {
        if (interest.epoch === epoch && publication.offset <= interest.top) return;
        interest.epoch = epoch;
        interest.top = publication.offset;
      }
      this.#deps.deliver(key, publication, epoch);
    } else if (message.startsWith("s")) {
      const { feature, body } = readSignal(message);
      this.#deps.deliverSignal?.(key, feature, body);
    } else {
      this.#deps.counters.brokerMessagesUnknown++;
    }
  }

  #firstPrefix(key: ChannelKey): string | undefined {
    if (this.#prefixes.size === 0) return undefined;
    for (const { id, isOn } of this.#prefixes.all()) if (isOn && key.startsWith(id)) return id;
    return undefined;
  }

  async #start(key: ChannelKey): Promise<void> {
    const { shard, keys } = this.#deps.shards.place(key);
    this.#deps.retain(key);
    await shard.topics.subscribe(keys.key("topic", key), this.#onMessage);
  }

  #stop(key: ChannelKey): void {
    const { epoch, top } = this.#channels.find(key) ?? { epoch: "", top: 0 };
    this.#deps.onForgotten(key, { epoch, offset: top });
    const { shard, keys } = this.#deps.shards.place(key);
    // What still comes is dropped; a connection that is lost has no subscriptions.
    shard.topics.unsubscribe(keys.key("topic", key)).catch(() => {});
  }

  async #startPrefix(prefix: string): Promise<void> {
    const onMessage: TopicListener = (message, topic) =>
      this.#onPrefixMessage(prefix, message, topic);
    await Promise.all(
      this.#deps.shards.all.map(
        ({ topics, partitions: [first] }, n) =>
          this.#wide[n]?.add() ?? topics.subscribePrefix(first.key("topic", prefix), onMessage),
      ),
    );
  }

  #stopPrefix(prefix: string): void {
    for (const [n, { topics, partitions }] of this.#deps.shards.all.entries()) {
      const wide = this.#wide[n];
      if (wide !== undefined) wide.remove();
      else topics.unsubscribePrefix(partitions[0].key("topic", prefix)).catch(() => {});
    }
  }
}

const KIND = "}:topic:";

/** The channel of `prefix:{partition}:topic:key`. */
function keyOf(topic: string): ChannelKey {
  return topic.slice(topic.indexOf(KIND) + KIND.length) as ChannelKey;
}
