import type { RandomIds } from "../random/random.ts";
import type { ChannelKey } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import type { HistoryOptions, Publication } from "./broker.ts";
import { Stream } from "./stream.ts";

export type StreamLimits = {
  readonly streamsMax: number;
  readonly streamIdleMs: number;
  readonly historyMaxBytes: number;
};

/**
 * All streams of a node, bounded in number and in bytes. The least recently used are forgotten first, but none
 * that is subscribed to; what is forgotten comes back under a new epoch, so that nobody takes it for whole.
 */
export class StreamTable {
  readonly #clock: Clock;
  readonly #random: RandomIds;
  readonly #limits: StreamLimits;
  readonly #streams = new Map<ChannelKey, Stream>();
  /** Those without subscriptions, which may be forgotten; in order of last use. */
  readonly #idle = new Map<ChannelKey, Stream>();
  /** Those that keep publications; in order of last publish. */
  readonly #kept = new Map<ChannelKey, Stream>();
  #bytes = 0;

  constructor(deps: { clock: Clock; random: RandomIds }, limits: StreamLimits) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#limits = limits;
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Bytes of all histories together. */
  get bytes(): number {
    return this.#bytes;
  }

  find(key: ChannelKey): Stream | undefined {
    return this.#streams.get(key);
  }

  /** The stream of a channel, without what has expired; a new one when there is none. */
  get(key: ChannelKey): Stream {
    const known = this.#streams.get(key);
    if (known === undefined) return this.#create(key);
    this.#expire(key, known);
    return known;
  }

  append(key: ChannelKey, publication: Publication, history: HistoryOptions): void {
    const stream = this.get(key);
    const before = stream.bytes;
    stream.append(publication, history, this.#clock.monotonicMs());
    this.#bytes += stream.bytes - before;
    this.#kept.delete(key);
    if (stream.kept > 0) this.#kept.set(key, stream);
    if (stream.interest === 0) this.#touchIdle(key, stream);
    if (this.#bytes > this.#limits.historyMaxBytes) this.#forgetHistory();
  }

  /** Somebody subscribes: the stream is not forgotten until as many have {@link release}d it. */
  retain(key: ChannelKey): void {
    this.get(key).interest++;
    this.#idle.delete(key);
  }

  release(key: ChannelKey): void {
    const stream = this.#streams.get(key);
    if (stream === undefined || --stream.interest > 0) return;
    stream.lastUsedMs = this.#clock.monotonicMs();
    this.#touchIdle(key, stream);
    this.#forgetLeastUsed();
  }

  /** Sweeps out what has expired. Reads do not depend on it; memory does. */
  sweep(): void {
    for (const [key, stream] of this.#kept) this.#expire(key, stream);
    const now = this.#clock.monotonicMs();
    for (const [key, stream] of this.#idle) {
      if (now - stream.lastUsedMs < this.#limits.streamIdleMs) return;
      if (stream.kept === 0) this.#forget(key, stream);
    }
  }

  clear(): void {
    for (const map of [this.#streams, this.#idle, this.#kept]) map.clear();
    this.#bytes = 0;
  }

  #create(key: ChannelKey): Stream {
    const stream = new Stream(this.#random.id(6), this.#clock.monotonicMs());
    this.#streams.set(key, stream);
    this.#forgetLeastUsed();
    this.#idle.set(key, stream);
    return stream;
  }

  #touchIdle(key: ChannelKey, stream: Stream): void {
    this.#idle.delete(key);
    this.#idle.set(key, stream);
  }

  #expire(key: ChannelKey, stream: Stream): void {
    const before = stream.bytes;
    stream.expire(this.#clock.monotonicMs());
    this.#bytes += stream.bytes - before;
    if (stream.kept === 0) this.#kept.delete(key);
  }

  #forgetLeastUsed(): void {
    for (const [key, stream] of this.#idle) {
      if (this.#streams.size <= this.#limits.streamsMax) return;
      this.#forget(key, stream);
    }
  }

  #forget(key: ChannelKey, stream: Stream): void {
    this.#bytes -= stream.bytes;
    for (const map of [this.#streams, this.#idle, this.#kept]) map.delete(key);
  }

  #forgetHistory(): void {
    for (const [key, stream] of this.#kept) {
      if (this.#bytes <= this.#limits.historyMaxBytes) return;
      this.#bytes -= stream.bytes;
      stream.clear();
      this.#kept.delete(key);
    }
  }
}
