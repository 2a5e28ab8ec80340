import type { StreamPosition } from "@aldis/protocol";
import type { Counters } from "../../observe/counters.ts";
import type { RedisArgument } from "../../redis/shard.ts";
import type { Place, Shards } from "../../redis/shards.ts";
import type { ChannelKey } from "../../tenant/tenant.ts";
import type { Clock, Timer } from "../../time/clock.ts";
import { KEYS_PER_SCRIPT, keysOfBatch } from "./batches.ts";
import { REPORT_SCRIPT } from "./run-scripts.ts";

export type ReportsDeps = {
  readonly shards: Pick<Shards, "place">;
  readonly clock: Clock;
  readonly counters: Pick<Counters, "epochsRenewed">;
  /** What this node knows; a channel may come twice. */
  readonly tops: () => Iterable<[ChannelKey, StreamPosition]>;
  /** Time, idle, hash, fresh for a channel. */
  readonly open: (key: ChannelKey) => readonly RedisArgument[];
  /** What was delivered of these channels may be over. */
  readonly onDoubt?: ((concerned: (key: ChannelKey) => boolean) => void) | undefined;
};

/** What is still to be told of a partition. */
type Report = { readonly place: Place; readonly tops: Map<ChannelKey, StreamPosition> };

/** A server that has just come may go again. */
const TRIES_MAX = 40;
const AGAIN_MS = 250;
/** Channels that are looked at before the loop goes round: about a millisecond. */
const TOPS_PER_TURN = 2_000;

/**
 * Tells servers that have taken over what this node knows of their channels, and has the hub look what became of them. A failover changes many
 * partitions in a moment: those that change during one walk through the tops share the next, so that it takes O(channels), and a piece a turn.
 */
export class Reports {
  readonly #deps: ReportsDeps;
  readonly #timers = new Set<Timer>();
  #changed: Place[] = [];
  #walking = false;
  #closed = false;

  constructor(deps: ReportsDeps) {
    this.#deps = deps;
  }

  /** A partition is in a run that this node did not know. What is known of it is taken in this turn, unless it is much. */
  changed(place: Place): void {
    this.#changed.push(place);
    if (!this.#walking) void this.#walk();
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  async #walk(): Promise<void> {
    this.#walking = true;
    while (this.#changed.length > 0 && !this.#closed) {
      const reports = new Map(
        this.#changed.map((place) => [place.keys, { place, tops: new Map() } satisfies Report]),
      );
      this.#changed = [];
      await this.#gather(reports);
      void this.#tellAll([...reports.values()], TRIES_MAX);
    }
    this.#walking = false;
  }

  async #gather(reports: ReadonlyMap<Place["keys"], Report>): Promise<void> {
    const { shards, tops } = this.#deps;
    let left = TOPS_PER_TURN;
    for (const [key, top] of tops()) {
      if (left-- === 0) {
        await nextTurn();
        if (this.#closed) return;
        left = TOPS_PER_TURN;
      }
      const known = reports.get(shards.place(key).keys)?.tops;
      const before = known?.get(key);
      // Attack on P3: what was heard lags behind what was acknowledged here, and its offset would be given again.
      if (before?.epoch === top.epoch && before.offset >= top.offset) continue;
      known?.set(key, top);
    }
  }

  async #tellAll(reports: readonly Report[], tries: number): Promise<void> {
    const told = new Set<Place["keys"]>();
    const failed: Report[] = [];
    const tell = async (report: Report) => {
      try {
        await this.#tell(report);
        told.add(report.place.keys);
      } catch {
        failed.push(report);
      }
    };
    await Promise.all(reports.map(tell));
    if (this.#closed) return;
    const { shards, clock, onDoubt } = this.#deps;
    if (told.size > 0) onDoubt?.((key) => told.has(shards.place(key).keys));
    if (failed.length === 0 || tries <= 1) return;
    const timer = clock.setTimer(AGAIN_MS, () => {
      this.#timers.delete(timer);
      void this.#tellAll(failed, tries - 1);
    });
    this.#timers.add(timer);
  }

  async #tell({ place, tops }: Report): Promise<void> {
    while (tops.size > 0 && !this.#closed) {
      const batch = tops.entries().take(KEYS_PER_SCRIPT).toArray();
      const keys = batch.map(([key]) => key);
      const opened = batch.map(([key]) => this.#deps.open(key));
      const [[time = "", idle = "", , fresh = ""] = []] = opened;
      const known = batch.flatMap(([, { epoch, offset }], n) => [
        opened[n]?.[2] ?? "",
        epoch,
        offset,
      ]);
      const args = [time, idle, fresh, ...known];
      const renewed = await place.shard.run(REPORT_SCRIPT, keysOfBatch({ place, keys }), args);
      this.#deps.counters.epochsRenewed += Number(renewed);
      for (const key of keys) tops.delete(key);
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
