import type { Clock } from "../time/clock.ts";
import type { PublishOutcome } from "./broker.ts";

/**
 * What publishes with an idempotency key were answered: for a fixed time, and at most `max` of them, the
 * oldest going first. All live equally long, so the order of coming is the order of going.
 */
export class RememberedAnswers {
  readonly #clock: Clock;
  readonly #limits: { readonly keepMs: number; readonly max: number };
  readonly #answers = new Map<string, { outcome: PublishOutcome; untilMs: number }>();

  constructor(clock: Clock, limits: { readonly keepMs: number; readonly max: number }) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get(key: string): PublishOutcome | undefined {
    const answer = this.#answers.get(key);
    return answer !== undefined && answer.untilMs > this.#clock.monotonicMs()
      ? answer.outcome
      : undefined;
  }

  set(key: string, outcome: PublishOutcome): void {
    this.#answers.delete(key);
    this.#answers.set(key, { outcome, untilMs: this.#clock.monotonicMs() + this.#limits.keepMs });
    this.forgetOld();
  }

  forgetOld(): void {
    const now = this.#clock.monotonicMs();
    for (const [key, answer] of this.#answers) {
      if (answer.untilMs > now && this.#answers.size <= this.#limits.max) return;
      this.#answers.delete(key);
    }
  }
}
