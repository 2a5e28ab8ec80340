import type { Hub } from "../hub/hub.ts";
import type { Shards } from "../redis/shards.ts";
import type { Clock, Timer } from "../time/clock.ts";

/** By then the topics of thousands of channels are subscribed to again. */
const AGAIN_MS = 1_000;

/**
 * Has the hub look for what was lost with a connection to topics: when it is there again, and once more when all topics are.
 */
export function watchRebuilds(
  { hub, clock }: { readonly hub: Hub; readonly clock: Clock },
  shards: Shards | undefined,
): { close(): void } {
  const timers = new Map<object, Timer>();
  for (const shard of shards?.all ?? []) {
    const check = () => hub.checkPositions((key) => shards?.place(key).shard === shard);
    shard.topics.onRebuilt(() => {
      check();
      timers.get(shard)?.cancel();
      timers.set(shard, clock.setTimer(AGAIN_MS, check));
    });
  }
  return {
    close() {
      for (const timer of timers.values()) timer.cancel();
    },
  };
}
