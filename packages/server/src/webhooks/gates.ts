// Who may send from this process now. Those who may not come again a moment later: a turn that waits would hold its place in the queue against everybody.
import type { TenantId } from "../plugins/index.ts";
import type { WebhooksConfig } from "./config.ts";

/**
 * A tenant has so many requests under way and no more, and endpoints that are slow or failing have so many together: whatever they do, there is room for the others.
 */
export class Gates {
  readonly #config: Pick<WebhooksConfig, "sendsPerTenant" | "slowSends">;
  /** Requests under way: bounded by the turns that this process works on. */
  readonly #byTenant = new Map<TenantId, number>();
  #slow = 0;

  constructor(config: Pick<WebhooksConfig, "sendsPerTenant" | "slowSends">) {
    this.#config = config;
  }

  /** What lets the next one in, to be called once; undefined: not now. */
  enter(tenant: TenantId, isSlow: boolean): (() => void) | undefined {
    const { sendsPerTenant, slowSends } = this.#config;
    const underWay = this.#byTenant.get(tenant) ?? 0;
    if (underWay >= sendsPerTenant || (isSlow && this.#slow >= slowSends)) return undefined;
    this.#byTenant.set(tenant, underWay + 1);
    if (isSlow) this.#slow++;
    return () => {
      const left = (this.#byTenant.get(tenant) ?? 1) - 1;
      if (left === 0) this.#byTenant.delete(tenant);
      else this.#byTenant.set(tenant, left);
      if (isSlow) this.#slow--;
    };
  }
}
