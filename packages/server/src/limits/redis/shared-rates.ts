// What users and tenants send on all nodes together: this node tells what was taken here, and hears how full the bucket of all is.
import type { Counters } from "../../observe/counters.ts";
import type { Script } from "../../redis/script.ts";
import type { Place, Shards } from "../../redis/shards.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { Bucket } from "../buckets.ts";
import type { Rate } from "../rate.ts";
import type { ToldBuckets } from "../told-buckets.ts";

const TICK_MS = 250;
const BATCH_MAX = 100;
const ROWS_PER_TICK = 1_000;

/**
 * KEYS: when a bucket is full again, in Redis' milliseconds. ARGV: the time, or "" for Redis' own; then for each key by how much what was taken puts
 * that off. Gives for each how long it is until then.
 */
const TAKE_RATES: Script = {
  name: "aldisTakeRates",
  lua: `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local left = {}
for i, key in ipairs(KEYS) do
  local full = math.max(tonumber(redis.call('GET', key) or 0), now) + tonumber(ARGV[i + 1])
  left[i] = math.ceil(full - now)
  redis.call('SET', key, string.format('%.0f', full), 'PX', math.max(1, left[i]))
end
return left`,
};

export type SharedRatesDeps = {
  readonly shards: Pick<Shards, "place">;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly told: readonly ToldBuckets[];
  /** In place of Redis' own time. */
  readonly redisNowMs?: () => number;
};

type Row = {
  readonly kind: string;
  readonly name: string;
  readonly bucket: Bucket;
  readonly rate: Rate;
  readonly tokens: number;
};

type Batch = { readonly place: Place; readonly rows: Row[] };

/** Only who has sent something since the last time are told; the buckets themselves bound how many. */
export class SharedRates {
  readonly #deps: SharedRatesDeps;
  #timer: Timer | undefined;
  #ticking = false;
  #closed = false;

  constructor(deps: SharedRatesDeps) {
    this.#deps = deps;
    for (const told of deps.told) told.onMoved = () => this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (!this.#closed) this.#timer ??= this.#deps.clock.setTimer(TICK_MS, this.#tick);
  }

  #tick = (): void => {
    this.#timer = undefined;
    if (!this.#ticking) void this.#tellSome();
    if (this.#deps.told.some(({ moved }) => moved.size > 0)) this.#arm();
  };

  async #tellSome(): Promise<void> {
    this.#ticking = true;
    const byPlace = new Map<Place["keys"], Batch>();
    for (const told of this.#deps.told) this.#collect(told, byPlace);
    await Promise.all(Array.from(byPlace.values(), ({ place, rows }) => this.#tell(place, rows)));
    this.#ticking = false;
  }

  #collect({ kind, moved, rateOf }: ToldBuckets, byPlace: Map<Place["keys"], Batch>): void {
    let count = 0;
    for (const [name, bucket] of moved) {
      if (count++ === ROWS_PER_TICK) break;
      moved.delete(name);
      const tokens = bucket.untold;
      bucket.untold = 0;
      const rate = rateOf(name);
      if (rate === undefined) continue;
      const place = this.#deps.shards.place(name);
      const batch = byPlace.get(place.keys) ?? { place, rows: [] };
      byPlace.set(place.keys, batch);
      batch.rows.push({ kind, name, bucket, rate, tokens });
    }
  }

  async #tell(place: Place, all: readonly Row[]): Promise<void> {
    for (let at = 0; at < all.length; at += BATCH_MAX) {
      await this.#tellBatch(place, all.slice(at, at + BATCH_MAX));
    }
  }

  async #tellBatch({ shard, keys }: Place, rows: readonly Row[]): Promise<void> {
    const { clock, counters, redisNowMs } = this.#deps;
    const names = rows.map(({ kind, name }) => keys.key(kind, name));
    const taken = rows.map(({ rate, tokens }) => rate.costMs(tokens));
    try {
      const left = await shard.run(TAKE_RATES, names, [redisNowMs?.() ?? "", ...taken]);
      if (!Array.isArray(left)) return;
      const nowMs = clock.monotonicMs();
      for (const [at, { bucket, rate }] of rows.entries()) {
        const fullAtMs = nowMs + Number(left[at]) + rate.costMs(bucket.untold);
        // Either may know of more: what was taken here is in both.
        bucket.fullAtMs = Math.max(bucket.fullAtMs, fullAtMs);
      }
    } catch {
      // Redis is away: each node goes on with what it knows. What this batch told may have been counted, so it is not told again.
      counters.sharedLimitsFailed++;
    }
  }
}
