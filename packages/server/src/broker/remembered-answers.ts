import type { TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import type { PublishOutcome } from "./broker.ts";

type Limits = {
  readonly keepMs: number;
  /** Of each tenant. */
  readonly max: number;
};

/**
 * What publishes with an idempotency key were answered, each tenant's by itself: were there one table for all, then a tenant
 * could push out another's and count by its own what the other publishes (P2).
 */
export class RememberedAnswers {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #byTenant = new Map<TenantId, TenantAnswers>();

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** For use in this turn. */
  of(tenant: TenantId): TenantAnswers {
    const known = this.#byTenant.get(tenant);
    if (known !== undefined) return known;
    const answers = new TenantAnswers(this.#clock, this.#limits);
    this.#byTenant.set(tenant, answers);
    return answers;
  }

  forgetOld(): void {
    for (const [tenant, answers] of this.#byTenant) {
      answers.forgetOld();
      if (answers.size === 0) this.#byTenant.delete(tenant);
    }
  }

  get tenants(): number {
    return this.#byTenant.size;
  }

  clear(): void {
    this.#byTenant.clear();
  }
}

type Answer = {
  readonly key: string;
  readonly outcome: PublishOutcome;
  readonly untilMs: number;
  newer: Answer | undefined;
};

/** All live equally long, so the order of coming is the order of going. Linked, as the first of a large `Map` is slow to find. */
class TenantAnswers {
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #byKey = new Map<string, Answer>();
  #oldest: Answer | undefined;
  #newest: Answer | undefined;

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  get size(): number {
    return this.#byKey.size;
  }

  get(key: string): PublishOutcome | undefined {
    const answer = this.#byKey.get(key);
    return answer !== undefined && answer.untilMs > this.#clock.monotonicMs()
      ? answer.outcome
      : undefined;
  }

  /** Remembers the answer to a key that {@link get} does not know. */
  set(key: string, outcome: PublishOutcome): void {
    this.forgetOld();
    const untilMs = this.#clock.monotonicMs() + this.#limits.keepMs;
    const answer: Answer = { key, outcome, untilMs, newer: undefined };
    this.#byKey.set(key, answer);
    if (this.#newest === undefined) this.#oldest = answer;
    else this.#newest.newer = answer;
    this.#newest = answer;
    if (this.#byKey.size > this.#limits.max) this.#forgetOldest();
  }

  forgetOld(): void {
    const now = this.#clock.monotonicMs();
    while (this.#oldest !== undefined && this.#oldest.untilMs <= now) this.#forgetOldest();
  }

  #forgetOldest(): void {
    if (this.#oldest === undefined) return;
    this.#byKey.delete(this.#oldest.key);
    this.#oldest = this.#oldest.newer;
    if (this.#oldest === undefined) this.#newest = undefined;
  }
}
