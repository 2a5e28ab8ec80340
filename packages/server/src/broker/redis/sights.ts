import type { ChannelKey } from "../../tenant/tenant.ts";
import type { Clock, Timer } from "../../time/clock.ts";

/** A publish of this node that is under way, and what was seen in its channel since it began. */
export class Sight {
  readonly key: ChannelKey;
  readonly sinceMs: number;
  epoch = "";
  offset = 0;
  wanted = 0;
  done: (() => void) | undefined;

  constructor(key: ChannelKey, sinceMs: number) {
    this.key = key;
    this.sinceMs = sinceMs;
  }
}

/**
 * The answer to a publish says that every subscriber of that moment was handed it (PB1), so that it waits until this node has seen the
 * publication come back. That is bounded: what does not come is found by its offset soon after.
 */
export class Sights {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #byKey = new Map<ChannelKey, Set<Sight>>();
  /** A publication did not come in time. */
  readonly #onMissed: () => void;
  #timer: Timer | undefined;

  constructor(
    clock: Clock,
    options: { readonly timeoutMs: number; readonly onMissed: () => void },
  ) {
    this.#clock = clock;
    this.#timeoutMs = options.timeoutMs;
    this.#onMissed = options.onMissed;
  }

  begin(key: ChannelKey): Sight {
    const sight = new Sight(key, this.#clock.monotonicMs());
    const known = this.#byKey.get(key);
    if (known === undefined) this.#byKey.set(key, new Set([sight]));
    else known.add(sight);
    return sight;
  }

  /** A publication of `key` was handed on. */
  seen(key: ChannelKey, epoch: string, offset: number): void {
    if (this.#byKey.size === 0) return;
    const sights = this.#byKey.get(key);
    if (sights === undefined) return;
    for (const sight of sights) {
      sight.epoch = epoch;
      sight.offset = offset;
      if (sight.done !== undefined && offset >= sight.wanted) sight.done();
    }
  }

  /** Done when `offset` was seen, or when its time is over. */
  until(sight: Sight, epoch: string, offset: number): Promise<void> | undefined {
    if (sight.epoch === epoch && sight.offset >= offset) return this.end(sight);
    sight.wanted = offset;
    this.#timer ??= this.#clock.setTimer(this.#timeoutMs, () => this.#giveUp());
    return new Promise((resolve) => {
      sight.done = () => {
        this.end(sight);
        resolve();
      };
    });
  }

  end(sight: Sight): undefined {
    const sights = this.#byKey.get(sight.key);
    sights?.delete(sight);
    if (sights?.size === 0) this.#byKey.delete(sight.key);
    return undefined;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const sights of this.#byKey.values()) for (const sight of sights) sight.done?.();
    this.#byKey.clear();
  }

  #giveUp(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonicMs();
    for (const sights of this.#byKey.values()) {
      for (const sight of sights) {
        if (sight.done === undefined || now - sight.sinceMs < this.#timeoutMs) continue;
        this.#onMissed();
        sight.done();
      }
    }
    if (this.#byKey.size > 0) {
      this.#timer = this.#clock.setTimer(this.#timeoutMs, () => this.#giveUp());
    }
  }
}
