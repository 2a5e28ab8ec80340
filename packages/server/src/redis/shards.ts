import { readFileSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import { createCounters } from "../observe/counters.ts";
import { type KeySpace, partitionOf, shardOf } from "./keys.ts";
import { type RedisCounts, Shard, type ShardOptions } from "./shard.ts";
import { parseRedisTarget } from "./target.ts";

/** Where the keys of something lie. */
export type Place = { readonly shard: Shard; readonly partition: number; readonly keys: KeySpace };

/** All the Redis of a cluster. */
export class Shards {
  /** In the order of the configuration; what belongs to no channel (nodes, secrets) lies in the first. */
  readonly all: readonly [Shard, ...Shard[]];
  readonly #seeds: readonly number[];

  constructor(all: readonly [Shard, ...Shard[]]) {
    this.all = all;
    this.#seeds = all.map(({ seed }) => seed);
  }

  /** Where a channel (by its key), a user or a session lies: the same on all nodes with this configuration. */
  place(name: string): Place {
    const shard = this.all[shardOf(this.#seeds, name)] ?? this.all[0];
    return placeIn(shard, partitionOf(shard.partitions.length, name));
  }

  /** Where lies what there is once in the cluster. */
  get home(): Place {
    return placeIn(this.all[0], 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((shard) => shard.close()));
  }
}

/** A partition of a shard by its number. */
export function placeIn(shard: Shard, partition: number): Place {
  const keys = shard.partitions[partition];
  if (keys === undefined) throw new Error(`no partition ${partition}`);
  return { shard, partition, keys };
}

/** Opens the connections that the configuration names; undefined when it is one node alone. They come up by themselves. */
export function openShards(
  { broker, redis }: Pick<Config, "broker" | "redis">,
  counts: RedisCounts = createCounters(),
  onTrouble?: ShardOptions["onTrouble"],
): Shards | undefined {
  if (broker === "memory") return undefined;
  const ca = redis.caFile === undefined ? undefined : readFileSync(redis.caFile, "utf8");
  const [first, ...others] = [broker].flat().map((url) => {
    const target = parseRedisTarget(url);
    // The config's schema has judged it.
    if (!target.ok) throw new Error(target.message);
    return new Shard(target.value, { ...redis, ca, counts, ...(onTrouble && { onTrouble }) });
  });
  if (first === undefined) throw new Error("no broker");
  return new Shards([first, ...others]);
}
