import type { Place, Shards } from "../../redis/shards.ts";
import type { ChannelKey } from "../../tenant/tenant.ts";

/** Channels of one partition, few enough for one script. */
export type Batch = { readonly place: Place; readonly keys: ChannelKey[] };

export const KEYS_PER_SCRIPT = 100;

export function inBatches(shards: Shards, keys: Iterable<ChannelKey>): Batch[] {
  const batches: Batch[] = [];
  const open = new Map<string, Batch>();
  for (const key of keys) {
    const place = shards.place(key);
    const id = `${place.partition} ${place.shard.name}`;
    let batch = open.get(id);
    if (batch === undefined || batch.keys.length >= KEYS_PER_SCRIPT) {
      batch = { place, keys: [] };
      open.set(id, batch);
      batches.push(batch);
    }
    batch.keys.push(key);
  }
  return batches;
}

/** What the scripts for many channels take: the partition's own, then position and stream of each. */
export function keysOfBatch({ place, keys }: Batch): string[] {
  const of = keys.flatMap((key) => [place.keys.key("meta", key), place.keys.key("stream", key)]);
  return [place.keys.key("part"), ...of];
}
