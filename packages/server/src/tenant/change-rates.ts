import { FieldError } from "@aldis/protocol";
import { Buckets, takeFrom } from "../limits/buckets.ts";
import { perSecond, type Rate } from "../limits/rate.ts";
import { refuseFor } from "../limits/refuse-for.ts";
import { type Counters, countOne } from "../observe/counters.ts";
import type { Clock } from "../time/clock.ts";
import type { Author } from "./records.ts";
import type { TenantId } from "./tenant.ts";

export type ChangeRatesDeps = { readonly clock: Clock; readonly counters: Counters };

export type ChangeRatesOptions = {
  readonly changesPerMinute: number;
  /** Tenants whose rate is kept. */
  readonly bucketsMax: number;
};

/** How much tenants change by themselves. Attack: a key of a tenant that fills the audit, which all share and which is kept for long. */
export class ChangeRates {
  readonly #deps: ChangeRatesDeps;
  readonly #rate: Rate | undefined;
  readonly #buckets: Buckets;

  constructor(deps: ChangeRatesDeps, { changesPerMinute, bucketsMax }: ChangeRatesOptions) {
    this.#deps = deps;
    this.#rate = perSecond(changesPerMinute / 60, changesPerMinute);
    this.#buckets = new Buckets({ max: bucketsMax, fillMs: 60_000 }, (count) => {
      deps.counters.bucketsForgotten += count;
    });
  }

  /** Throws the refusal `rate_limited`. Whoever acts for a tenant as its operator is not held to it. */
  take(tenant: TenantId, { acting }: Author): void {
    if (acting === true || this.#rate === undefined) return;
    const { clock, counters } = this.#deps;
    const nowMs = clock.monotonicMs();
    const waitMs = takeFrom(this.#buckets.find(tenant, nowMs), this.#rate, nowMs);
    if (waitMs === 0) return;
    countOne(counters.rateLimited, "changes");
    throw new FieldError(refuseFor("rate_limited", "the tenant changes too much", waitMs));
  }
}
