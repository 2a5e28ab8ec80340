// Who has rows in a partition: nodes, each in one of its lives (`node#life`).
import type { Counters } from "../../observe/counters.ts";
import type { RedisArgument } from "../../redis/shard.ts";
import type { Place } from "../../redis/shards.ts";
import type { OnChanges } from "./row-answer.ts";
import { REMOVE_ROWS } from "./row-scripts.ts";

/** Rows that one script call removes at most: about a millisecond of Redis. */
const REMOVE_MAX = 100;

export type HolderPlace = {
  readonly place: Place;
  readonly common: readonly RedisArgument[];
  readonly counters: Counters;
  /** Told what a script has found to have changed over all nodes; undefined: nobody wants to know. */
  readonly onChanges?: OnChanges | undefined;
};

export function holdersKey({ keys }: Place): string {
  return keys.key("presence-holders");
}

export async function holdersIn(place: Place): Promise<readonly string[]> {
  const listed = await place.shard.call("HKEYS", holdersKey(place));
  return Array.isArray(listed) ? listed.map(String) : [];
}

export function nodeOf(holder: string): string {
  return holder.slice(0, holder.lastIndexOf("#"));
}

/** Removes all rows of a holder step by step, so that Redis answers others between them. Doing it twice, or two at once, does no harm. */
export async function removeHolder(
  { place, common, counters, onChanges }: HolderPlace,
  holder: string,
): Promise<void> {
  for (;;) {
    const [removed, changes] = (await place.shard.run(
      REMOVE_ROWS,
      [holdersKey(place)],
      [...common, holder, REMOVE_MAX],
    )) as unknown[];
    onChanges?.(changes);
    counters.presenceRowsRemoved += Number(removed);
    if (Number(removed) < REMOVE_MAX) return;
  }
}
