import { BrokerUnavailable } from "../../broker-unavailable.ts";
import type { Clock, Timer } from "../../time/clock.ts";

/** What this node hears, as long as somebody here wants it. */
export class Interest {
  readonly id: string;
  count = 0;
  /** Redis has confirmed it. */
  isOn = false;
  ready: Promise<void> | undefined;
  leaveAtMs = 0;
  /** Of channels: the latest publication that came. */
  epoch = "";
  top = 0;

  constructor(id: string) {
    this.id = id;
  }
}

export type InterestOptions = {
  /** How long to stay subscribed after the last has gone: who comes and goes quickly costs Redis nothing. */
  readonly lingerMs: number;
  /** How long to wait for the confirmation. */
  readonly timeoutMs: number;
  /** Done when it is confirmed. */
  readonly start: (id: string) => Promise<unknown>;
  readonly stop: (id: string) => void;
};

/** Counts who wants what, and subscribes for the first and unsubscribes a while after the last. */
export class CountedInterest {
  readonly #clock: Clock;
  readonly #options: InterestOptions;
  readonly #byId = new Map<string, Interest>();
  /** Those that nobody wants any more, in order of their leaving. */
  readonly #leaving = new Set<Interest>();
  #timer: Timer | undefined;

  constructor(clock: Clock, options: InterestOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  get size(): number {
    return this.#byId.size;
  }

  find(id: string): Interest | undefined {
    return this.#byId.get(id);
  }

  all(): Iterable<Interest> {
    return this.#byId.values();
  }

  /** Rejects with {@link BrokerUnavailable}, and then does not count, when it is not confirmed in time. */
  add(id: string): Promise<void> | undefined {
    const interest = this.#byId.get(id) ?? this.#open(id);
    this.#leaving.delete(interest);
    interest.count++;
    return interest.isOn ? undefined : this.#confirmed(interest);
  }

  remove(id: string): void {
    const interest = this.#byId.get(id);
    if (interest === undefined || interest.count === 0) return;
    if (--interest.count > 0) return;
    interest.leaveAtMs = this.#clock.monotonicMs() + this.#options.lingerMs;
    this.#leaving.add(interest);
    this.#timer ??= this.#clock.setTimer(this.#options.lingerMs, () => this.#leave());
  }

  close(): void {
    this.#timer?.cancel();
    this.#byId.clear();
    this.#leaving.clear();
  }

  #open(id: string): Interest {
    const interest = new Interest(id);
    this.#byId.set(id, interest);
    interest.ready = this.#options.start(id).then(() => {
      interest.isOn = true;
      interest.ready = undefined;
    });
    // Those who wait are told; nobody may be waiting any more.
    interest.ready.catch(() => {
      this.#leaving.delete(interest);
      if (this.#byId.get(id) === interest) this.#byId.delete(id);
    });
    return interest;
  }

  async #confirmed(interest: Interest): Promise<void> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.setTimer(this.#options.timeoutMs, () =>
        reject(new BrokerUnavailable("redis: a subscription was not confirmed in time")),
      );
    });
    try {
      await Promise.race([interest.ready, late]);
    } catch (error) {
      // Another one may have its name by now.
      if (this.#byId.get(interest.id) === interest) this.remove(interest.id);
      throw error;
    } finally {
      timer?.cancel();
    }
  }

  #leave(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonicMs();
    for (const interest of this.#leaving) {
      if (interest.leaveAtMs > now) {
        this.#timer = this.#clock.setTimer(interest.leaveAtMs - now, () => this.#leave());
        return;
      }
      this.#leaving.delete(interest);
      this.#options.stop(interest.id);
      this.#byId.delete(interest.id);
    }
  }
}
