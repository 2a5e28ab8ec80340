import type { Counters } from "../../observe/counters.ts";
import type { RandomIds } from "../../random/random.ts";
import type { Place, Shards } from "../../redis/shards.ts";
import { MARK } from "./registry-scripts.ts";

export type MarksDeps = {
  readonly shards: Shards;
  readonly random: RandomIds;
  readonly counters: Counters;
};

/** A mark in each partition but the first of all, which the heartbeat sees to: when one is not what it was, that Redis has lost what it held. */
export class Marks {
  readonly #deps: MarksDeps;
  readonly #onNew: (shard: string, partition: number) => void;
  readonly #places: readonly Place[];
  readonly #marks = new Map<Place, string>();
  #checking: Promise<unknown> | undefined;

  constructor(deps: MarksDeps, onNew: (shard: string, partition: number) => void) {
    this.#deps = deps;
    this.#onNew = onNew;
    const all = deps.shards.all.flatMap((shard) =>
      shard.partitions.map((keys, partition) => ({ shard, partition, keys })),
    );
    this.#places = all.slice(1);
  }

  /** Looks at all, unless the look before is still under way: a shard that hangs holds up nothing else. */
  check(): void {
    if (this.#checking !== undefined) return;
    const checks = this.#places.map((place) => this.#checkOne(place));
    this.#checking = Promise.all(checks).finally(() => {
      this.#checking = undefined;
    });
  }

  async #checkOne(place: Place): Promise<void> {
    const { random, counters } = this.#deps;
    try {
      const answer = await place.shard.run(MARK, [place.keys.key("mark")], [random.id(9)]);
      const mark = String(answer);
      const former = this.#marks.get(place);
      this.#marks.set(place, mark);
      if (former !== undefined && former !== mark) this.#onNew(place.shard.name, place.partition);
    } catch {
      counters.heartbeatsFailed++;
    }
  }
}
