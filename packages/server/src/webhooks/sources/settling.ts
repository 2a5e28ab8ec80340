// The time just after a tenant's endpoints have come to want more, in which not all nodes know of it.
import type { Clock, TenantId } from "../../plugins/index.ts";

export class Settling {
  readonly #clock: Clock;
  /** Of tenants whose endpoints were changed while this node runs. */
  readonly #changedAtMs = new Map<TenantId, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `isWanted`: anything is; else nothing is kept of the tenant. */
  changed(tenant: TenantId, isWanted: boolean): void {
    if (isWanted) this.#changedAtMs.set(tenant, this.#clock.monotonicMs());
    else this.#changedAtMs.delete(tenant);
  }

  /** How much is left of the `forMs` that began then; 0: nothing. */
  leftMs(tenant: TenantId, forMs: number): number {
    const changedAtMs = this.#changedAtMs.get(tenant);
    if (changedAtMs === undefined) return 0;
    return Math.max(0, changedAtMs + forMs - this.#clock.monotonicMs());
  }
}
