import { type Awaitable, attempt, whenReady } from "../awaitable.ts";
import type { HistoryPage } from "../broker/broker.ts";
import type { Clock } from "../time/clock.ts";
import type { Gap } from "./gap.ts";
import type { HubChannel } from "./hub-channel.ts";

/** Reads of all channels together: after a broker was away, thousands of channels may have missed something. */
const READS_MAX = 64;

/** A broker that is away is asked again after this time, which doubles up to the greatest. */
const RETRY_MS = 100;
const RETRY_MAX_MS = 5_000;

export type GapRead = {
  readonly run: () => Awaitable<HistoryPage>;
  readonly done: (page: HistoryPage) => void;
};

/** Asks the broker's history for channels with a gap: a few at a time, one read for each, again when it fails. */
export class HistoryReads {
  readonly #clock: Clock;
  readonly #begin: (channel: HubChannel, gap: Gap) => void;
  #underWay = 0;
  readonly #queue = new Set<HubChannel>();

  /** `begin` is called when a channel that had to wait may be read. */
  constructor(clock: Clock, begin: (channel: HubChannel, gap: Gap) => void) {
    this.#clock = clock;
    this.#begin = begin;
  }

  /** `begin` now, or when others are done. */
  whenFree(channel: HubChannel, gap: Gap): void {
    if (this.#underWay >= READS_MAX) this.#queue.add(channel);
    else this.#begin(channel, gap);
  }

  /** The answer to a gap that is closed is forgotten; that of one that stands is `done`, or comes later. */
  ask(channel: HubChannel, gap: Gap, read: GapRead): void {
    this.#underWay++;
    let isOver = false;
    const end = () => {
      if (!isOver) this.#underWay--;
      isOver = true;
    };
    whenReady(attempt(read.run), {
      done: (page) => {
        end();
        if (channel.gap === gap) read.done(page);
        this.#next();
      },
      failed: () => {
        end();
        if (channel.gap === gap) this.again(channel, gap, ++gap.failures);
        this.#next();
      },
    });
  }

  /** `begin` later, after so many `tries`. */
  again(channel: HubChannel, gap: Gap, tries: number): void {
    const delayMs = Math.min(RETRY_MS * 2 ** (tries - 1), RETRY_MAX_MS);
    gap.retry?.cancel();
    gap.retry = this.#clock.setTimer(delayMs, () => {
      if (channel.gap === gap) this.whenFree(channel, gap);
    });
    gap.tellWaiting();
  }

  forget(channel: HubChannel): void {
    this.#queue.delete(channel);
  }

  #next(): void {
    for (const channel of this.#queue) {
      if (this.#underWay >= READS_MAX) return;
      this.#queue.delete(channel);
      if (channel.gap !== undefined) this.#begin(channel, channel.gap);
    }
  }
}
