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

/** How many streams in use are passed over, at most, in search of one to forget. */
const LOOKS_MAX = 100;

/**
 * All streams of a node, bounded in number and in bytes. The least recently used are forgotten first, but none
 * that is subscribed to; what is forgotten comes back under a new epoch, so that nobody takes it for whole.
 */
export class StreamTable {
  readonly #clock: Clock;
  readonly #random: RandomIds;
  readonly #limits: StreamLimits;
  /** In order of last use. */
  readonly #streams = new Map<ChannelKey, Stream>();
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
    if (known !== undefined) {
      this.#expire(known);
      return known;
    }
    const stream = new Stream(this.#random.id(6), this.#clock.monotonicMs());
    this.#streams.set(key, stream);
    if (this.#streams.size > this.#limits.streamsMax) this.#forgetLeastUsed(stream);
    return stream;
  }

  append(key: ChannelKey, publication: Publication, history: HistoryOptions): void {
    const stream = this.get(key);
    const before = stream.bytes;
    stream.append(publication, history, this.#clock.monotonicMs());
    this.#bytes += stream.bytes - before;
    this.#streams.delete(key);
    this.#streams.set(key, stream);
    if (this.#bytes > this.#limits.historyMaxBytes) this.#forgetHistory();
  }

  /** Sweeps out what has expired. Reads do not depend on it; memory does. */
  sweep(): void {
    const now = this.#clock.monotonicMs();
    for (const [key, stream] of this.#streams) {
      this.#expire(stream);
      const unused = stream.interest === 0 && stream.kept === 0;
      if (unused && now - stream.lastUsedMs >= this.#limits.streamIdleMs) this.#streams.delete(key);
    }
  }

  clear(): void {
    this.#streams.clear();
    this.#bytes = 0;
  }

  #expire(stream: Stream): void {
    const before = stream.bytes;
    stream.expire(this.#clock.monotonicMs());
    this.#bytes += stream.bytes - before;
  }

  #forgetLeastUsed(newcomer: Stream): void {
    let looks = 0;
    for (const [key, stream] of this.#streams) {
      if (stream.interest === 0 && stream !== newcomer) {
        this.#bytes -= stream.bytes;
        this.#streams.delete(key);
        return;
      }
      if (++looks === LOOKS_MAX) return;
    }
  }

  #forgetHistory(): void {
    for (const stream of this.#streams.values()) {
      if (this.#bytes <= this.#limits.historyMaxBytes) return;
      this.#bytes -= stream.bytes;
      stream.clear();
    }
  }
}
