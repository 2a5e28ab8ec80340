// Which channels tenants with a quota of them have on all nodes together: told to Redis in batches, a moment after the fact.
import type { ChannelName } from "@aldis/protocol";
import type { Counters } from "../../observe/counters.ts";
import type { Script } from "../../redis/script.ts";
import type { Shards } from "../../redis/shards.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import type { ChannelBook, ChannelQuota } from "../channel-quota.ts";

const TICK_MS = 500;
const BATCH_MAX = 500;
/** All are told again so often, so that those that still count do. */
const TELL_AGAIN_MS = 20_000;
/** What is told counts for at least so long: until it is told again. */
const LEAST_MS = 3 * TELL_AGAIN_MS;

/** KEYS: a tenant's channels by when they no longer count. ARGV: pairs of how long one counts at least, in milliseconds, and its name. Gives how many count now. */
const NOTE_CHANNELS: Script = {
  name: "aldisNoteChannels",
  keys: 1,
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
for at = 1, #ARGV, 2 do
  local known = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[at + 1]) or 0)
  redis.call('ZADD', KEYS[1], math.max(known, now + tonumber(ARGV[at])), ARGV[at + 1])
end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last[2] then redis.call('PEXPIREAT', KEYS[1], last[2]) end
return redis.call('ZCARD', KEYS[1])`,
};

/** KEYS: the same. ARGV: a name. Gives 1 if it counts. */
const HAS_CHANNEL: Script = {
  name: "aldisHasChannel",
  keys: 1,
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0) > now and 1 or 0`,
};

export type SharedChannelsDeps = {
  readonly shards: Pick<Shards, "place">;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly quota: ChannelQuota;
};

export class SharedChannels {
  readonly #deps: SharedChannelsDeps;
  #timer: Timer | undefined;
  #ticking = false;
  #allToldMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(deps: SharedChannelsDeps) {
    this.#deps = deps;
    deps.quota.askOthers = (tenant, channel) => this.#has(tenant, channel);
    deps.quota.onChange = () => this.#arm();
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
    if (!this.#ticking) void this.#tellAll();
    if (this.#deps.quota.books.size > 0) this.#arm();
  };

  async #tellAll(): Promise<void> {
    this.#ticking = true;
    const { clock, quota } = this.#deps;
    const nowMs = clock.monotonicMs();
    const again = nowMs - this.#allToldMs >= TELL_AGAIN_MS;
    if (again) this.#allToldMs = nowMs;
    for (const book of quota.books.values()) {
      quota.sweep(book);
      if (book.known.size === 0) quota.books.delete(book.tenant);
      else if (again || book.untold.size > 0) await this.#tell(book, again);
    }
    this.#ticking = false;
  }

  async #tell(book: ChannelBook, all: boolean): Promise<void> {
    const { shards, clock, counters } = this.#deps;
    const { shard, keys } = shards.place(book.tenant);
    const names = [...(all ? book.known.keys() : book.untold)];
    book.untold.clear();
    const nowMs = clock.monotonicMs();
    for (let at = 0; at < names.length; at += BATCH_MAX) {
      const batch = names.slice(at, at + BATCH_MAX);
      const args = batch.flatMap((name) => [
        Math.ceil(Math.max(LEAST_MS, (book.known.get(name) ?? 0) - nowMs)),
        name,
      ]);
      try {
        const count = await shard.run(NOTE_CHANNELS, [keys.key("channels", book.tenant)], args);
        book.elsewhere = Math.max(0, Number(count) - book.known.size);
      } catch {
        // Redis is away: this node's own count holds, and all is told again.
        counters.sharedLimitsFailed++;
        this.#allToldMs = Number.NEGATIVE_INFINITY;
        return;
      }
    }
  }

  async #has(tenant: TenantId, channel: ChannelName): Promise<boolean> {
    const { shard, keys } = this.#deps.shards.place(tenant);
    try {
      return (await shard.run(HAS_CHANNEL, [keys.key("channels", tenant)], [channel])) === 1;
    } catch {
      // Redis is away: whether the channel is new is not known, and what is there must go on.
      this.#deps.counters.sharedLimitsFailed++;
      return true;
    }
  }
}
