import type { RandomIds } from "../random/random.ts";
import { Holding, Shares } from "../tenant/shares.ts";
import { type ChannelKey, type TenantId, tenantOf } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import type { HistoryOptions, Publication } from "./broker.ts";
import { Epochs } from "./epochs.ts";
import { Stream } from "./stream.ts";

export type StreamLimits = {
  readonly streamsMax: number;
  readonly streamIdleMs: number;
  readonly historyMaxBytes: number;
  /** Of that, what one tenant may have at most; absent or undefined: all. */
  readonly historyQuotaOf?: (tenant: TenantId) => number | undefined;
};

/** A stream that is remembered, with what decides for how long. */
export class RememberedStream {
  readonly key: ChannelKey;
  readonly tenant: TenantId;
  readonly stream: Stream;
  /** How many subscriptions keep it from being forgotten. */
  interest = 0;
  lastUsedMs = 0;
  /** Among those that may be forgotten. */
  readonly idle: Holding<RememberedStream>;
  /** Among those that keep publications. */
  readonly kept: Holding<RememberedStream>;

  constructor(key: ChannelKey, epoch: string) {
    this.key = key;
    this.tenant = tenantOf(key);
    this.stream = new Stream(epoch);
    this.idle = new Holding<RememberedStream>(this.tenant, this);
    this.kept = new Holding<RememberedStream>(this.tenant, this);
  }
}

/**
 * All streams of a node. Remembered are those that are subscribed to (connections bound them) and those that something was
 * published in (`streamsMax` and `historyMaxBytes` bound them, and who holds the most gives way). What is forgotten comes back
 * under a new epoch, so that nobody takes it for whole.
 */
export class StreamTable {
  readonly #clock: Clock;
  readonly #limits: StreamLimits;
  readonly #epochs: Epochs;
  readonly #streams = new Map<ChannelKey, RememberedStream>();
  /** Those without subscriptions, which may be forgotten, in order of last use. */
  readonly #idle = new Shares<RememberedStream>();
  /** Those that keep publications, by their bytes, in order of last publish. */
  readonly #kept = new Shares<RememberedStream>();

  constructor(deps: { clock: Clock; random: RandomIds }, limits: StreamLimits) {
    this.#clock = deps.clock;
    this.#limits = limits;
    this.#epochs = new Epochs(deps, { keepMs: limits.streamIdleMs });
  }

  get size(): number {
    return this.#streams.size;
  }

  /** Bytes of all histories together. */
  get bytes(): number {
    return this.#kept.weight;
  }

  find(key: ChannelKey): Stream | undefined {
    return this.#streams.get(key)?.stream;
  }

  /** The stream of a channel as it stands. One that is not remembered is made up for the answer, and not remembered for it. */
  peek(key: ChannelKey): Stream {
    return this.#streams.get(key)?.stream ?? new Stream(this.#epochs.of(key));
  }

  /** The same, without what the options in force no longer let it keep. */
  read(key: ChannelKey, history: HistoryOptions): Stream {
    const known = this.#streams.get(key);
    if (known === undefined) return new Stream(this.#epochs.of(key));
    known.stream.trim(history, this.#clock.monotonicMs());
    this.#weigh(known);
    return known.stream;
  }

  /** The stream of a channel, to publish in; remembered from now on. */
  open(key: ChannelKey): RememberedStream {
    const known = this.#streams.get(key);
    if (known !== undefined) return known;
    const created = this.#create(key);
    this.#touchIdle(created);
    return created;
  }

  append(to: RememberedStream, publication: Publication, history: HistoryOptions): void {
    const { stream } = to;
    stream.append(publication, history, this.#clock.monotonicMs());
    if (stream.kept > 0) this.#kept.touch(to.kept, stream.bytes);
    else this.#kept.remove(to.kept);
    if (to.interest === 0) this.#touchIdle(to);
    while (this.#kept.weight > this.#limits.historyMaxBytes) this.#forgetHistory(to.tenant);
    const quota = this.#limits.historyQuotaOf?.(to.tenant);
    if (quota !== undefined) this.#keepWithin(to, quota);
  }

  /** Somebody subscribes: the stream is not forgotten until as many have {@link release}d it. */
  retain(key: ChannelKey): void {
    const stream = this.#streams.get(key) ?? this.#create(key);
    stream.interest++;
    this.#idle.remove(stream.idle);
  }

  release(key: ChannelKey): void {
    const known = this.#streams.get(key);
    if (known === undefined || --known.interest > 0) return;
    const { top, epoch } = known.stream;
    // It would come back as it is.
    if (top === 0 && this.#epochs.isCurrent(key, epoch)) this.#streams.delete(key);
    else this.#touchIdle(known);
  }

  /** Sweeps out what has expired. Reads do not depend on it; memory does. */
  sweep(): void {
    const now = this.#clock.monotonicMs();
    this.#kept.eachTenant((one) => {
      one.stream.expire(now);
      this.#weigh(one);
      return "on";
    });
    this.#idle.eachTenant((one) => {
      if (now - one.lastUsedMs < this.#limits.streamIdleMs) return "enough";
      if (one.stream.kept === 0) this.#forget(one);
      return "on";
    });
    this.#epochs.sweep();
  }

  clear(): void {
    for (const all of [this.#streams, this.#idle, this.#kept, this.#epochs]) all.clear();
  }

  #create(key: ChannelKey): RememberedStream {
    const created = new RememberedStream(key, this.#epochs.of(key));
    this.#streams.set(key, created);
    return created;
  }

  #touchIdle(used: RememberedStream): void {
    used.lastUsedMs = this.#clock.monotonicMs();
    // Room is made first: what comes must not be what goes.
    if (used.idle.share === undefined && this.#idle.weight >= this.#limits.streamsMax) {
      const first = this.#idle.firstToGo(used.tenant);
      if (first !== undefined) this.#forget(first);
    }
    this.#idle.touch(used.idle, 1);
  }

  #weigh(one: RememberedStream): void {
    if (one.stream.kept === 0) this.#kept.remove(one.kept);
    else this.#kept.weigh(one.kept, one.stream.bytes);
  }

  #forget(one: RememberedStream): void {
    this.#streams.delete(one.key);
    this.#idle.remove(one.idle);
    this.#kept.remove(one.kept);
    if (one.stream.top > 0) this.#epochs.retire(one.key, one.stream.epoch);
  }

  /** The tenant's least recently published go first; the last of all holds what the options of its own let it. */
  #keepWithin({ kept }: RememberedStream, quota: number): void {
    for (;;) {
      const { share } = kept;
      const oldest = share?.oldest;
      if (share === undefined || oldest === undefined || share.weight <= quota) return;
      if (oldest === kept) return;
      oldest.what.stream.clear();
      this.#kept.remove(oldest);
    }
  }

  #forgetHistory(needing: TenantId): void {
    const first = this.#kept.firstToGo(needing);
    if (first === undefined) return;
    first.stream.clear();
    this.#kept.remove(first.kept);
  }
}
