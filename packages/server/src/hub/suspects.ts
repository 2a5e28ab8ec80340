import type { Clock, Timer } from "../time/clock.ts";
import type { HubChannel } from "./hub-channel.ts";

type Suspicion = { readonly epoch: string; known: number; readonly dueMs: number };

/** What is on its way has so long to come before it counts as missing. */
const SETTLE_MS = 250;

/** Channels that may be behind what the broker has, looked at a second time when what is on its way has had time to come. */
export class Suspects {
  readonly #clock: Clock;
  readonly #isBehind: (channel: HubChannel, known: number) => void;
  /** In order of the time when they are due: all wait equally long. */
  readonly #suspicions = new Map<HubChannel, Suspicion>();
  #timer: Timer | undefined;

  constructor(clock: Clock, isBehind: (channel: HubChannel, known: number) => void) {
    this.#clock = clock;
    this.#isBehind = isBehind;
  }

  add(channel: HubChannel, known: number): void {
    const { epoch } = channel;
    const former = this.#suspicions.get(channel);
    if (former?.epoch === epoch) {
      former.known = Math.max(former.known, known);
      return;
    }
    this.#suspicions.delete(channel);
    const dueMs = this.#clock.monotonicMs() + SETTLE_MS;
    this.#suspicions.set(channel, { epoch, known, dueMs });
    this.#timer ??= this.#clock.setTimer(SETTLE_MS, () => this.#look());
  }

  forget(channel: HubChannel): void {
    this.#suspicions.delete(channel);
  }

  close(): void {
    this.#timer?.cancel();
    this.#suspicions.clear();
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonicMs();
    for (const [channel, { epoch, known, dueMs }] of this.#suspicions) {
      if (dueMs > now) {
        this.#timer = this.#clock.setTimer(dueMs - now, () => this.#look());
        return;
      }
      this.#suspicions.delete(channel);
      if (channel.epoch === epoch && channel.top < known) this.#isBehind(channel, known);
    }
  }
}
