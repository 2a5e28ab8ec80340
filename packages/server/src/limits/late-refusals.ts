import type { Counters } from "../observe/counters.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { perSecond, type Rate } from "./rate.ts";
import type { TenantAccount } from "./tenant-account.ts";

/** Who has a refusal to be told later than at once. */
export type Late = {
  /** Tell it now. Called once for each {@link LateRefusals.delay} that found nothing of it waiting. */
  onLateDue(): void;
};

export type LateRefusalOptions = {
  /** Refusals of one tenant in a second that wait for nothing. */
  readonly atOncePerSecond: number;
  /** How long the rest waits; 0: nothing ever does. */
  readonly delayMs: number;
  readonly heldMax: number;
};

/** So many are told in one turn, one more for each thousand that wait, and the next ones so much later: a crowd of them is not to hold up the loop, nor to stay one. */
const LEAST_PER_TURN = 4;
const WAITING_PER_TOLD = 1_000;
const TURN_MS = 2;

/**
 * Refusals of tenants that care about none (QU8). Attack: a tenant that repeats at once what it was refused, so that the node is busy with
 * refusing: who waits for an answer asks so much less often, and those of one WebSocket leave together. They all wait equally long, so that
 * the order in which they came is the one in which they are due.
 */
export class LateRefusals {
  readonly #clock: Clock;
  readonly #counters: Pick<Counters, "refusalsDelayed" | "refusalsNotDelayed">;
  readonly #options: LateRefusalOptions;
  readonly #atOnce: Rate | undefined;
  /** When each is due, monotonic; in that order. */
  readonly #waiting = new Map<Late, number>();
  #timer: Timer | undefined;
  #isOpen = true;

  constructor(
    deps: {
      readonly clock: Clock;
      readonly counters: Pick<Counters, "refusalsDelayed" | "refusalsNotDelayed">;
    },
    options: LateRefusalOptions,
  ) {
    this.#clock = deps.clock;
    this.#counters = deps.counters;
    this.#options = options;
    this.#atOnce = perSecond(options.atOncePerSecond, options.atOncePerSecond);
  }

  /** Requests, and connections, whose refusals wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whether a refusal of this tenant's is to wait until `late` hears that it is due; false: it is told at once. */
  delay(late: Late, account: TenantAccount, nowMs: number): boolean {
    if (this.#atOnce === undefined || this.#options.delayMs === 0 || !this.#isOpen) return false;
    const waits = this.#waiting.has(late);
    if (!waits && this.#atOnce.waitMs(account.refusalsFullAtMs, nowMs, 1) === 0) {
      account.refusalsFullAtMs = this.#atOnce.take(account.refusalsFullAtMs, nowMs, 1);
      return false;
    }
    if (!waits && this.#waiting.size >= this.#options.heldMax) {
      this.#counters.refusalsNotDelayed++;
      return false;
    }
    this.#counters.refusalsDelayed++;
    if (waits) return true;
    this.#waiting.set(late, nowMs + this.#options.delayMs);
    this.#timer ??= this.#clock.setTimer(this.#options.delayMs, this.#turn);
    return true;
  }

  /** The same for an answer over HTTP, which may have such a refusal among others: resolves when it is due; undefined: it is told at once. */
  wait(account: TenantAccount): Promise<void> | undefined {
    const { promise, resolve } = Promise.withResolvers<void>();
    const isLate = this.delay({ onLateDue: resolve }, account, this.#clock.monotonicMs());
    return isLate ? promise : undefined;
  }

  /** Tells all that wait, and delays none any more. */
  close(): void {
    this.#isOpen = false;
    this.#timer?.cancel();
    for (const late of this.#waiting.keys()) late.onLateDue();
    this.#waiting.clear();
  }

  readonly #turn = (): void => {
    const nowMs = this.#clock.monotonicMs();
    let left = LEAST_PER_TURN + Math.floor(this.#waiting.size / WAITING_PER_TOLD);
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [late, dueMs] of this.#waiting) {
      nextMs = dueMs - nowMs;
      if (nextMs > 0 || left === 0) break;
      this.#waiting.delete(late);
      late.onLateDue();
      left--;
    }
    this.#timer =
      this.#waiting.size === 0
        ? undefined
        : this.#clock.setTimer(Math.max(TURN_MS, nextMs), this.#turn);
  };
}
