import type { RandomIds } from "../random/random.ts";
import { type ChannelKey, type TenantId, tenantOf } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";

/**
 * The epochs of channels that are not remembered, without remembering them (docs/decisions/0006-shares.md). All of a tenant's
 * come from one random text, so that asking for any number of unknown channels holds nothing and forgets nothing, and whoever was told
 * one finds it again. The text is replaced once a channel is forgotten that would come back under the epoch it had.
 */
export class Epochs {
  readonly #clock: Clock;
  readonly #random: RandomIds;
  readonly #keepMs: number;
  readonly #eras = new Map<TenantId, { text: string; usedMs: number }>();

  constructor(deps: { clock: Clock; random: RandomIds }, options: { readonly keepMs: number }) {
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#keepMs = options.keepMs;
  }

  /** Of a channel that is not remembered; it takes this epoch with it when it is. */
  of(key: ChannelKey): string {
    const tenant = tenantOf(key);
    const now = this.#clock.monotonicMs();
    const era = this.#eras.get(tenant);
    if (era !== undefined) {
      era.usedMs = now;
      return epochIn(era.text, key);
    }
    const text = this.#random.id(6);
    this.#eras.set(tenant, { text, usedMs: now });
    return epochIn(text, key);
  }

  /** Whether a channel, forgotten now, would have this epoch again. */
  isCurrent(key: ChannelKey, epoch: string): boolean {
    const era = this.#eras.get(tenantOf(key));
    return era !== undefined && epochIn(era.text, key) === epoch;
  }

  /** What was published in this epoch has been forgotten: it must not come again. */
  retire(key: ChannelKey, epoch: string): void {
    if (this.isCurrent(key, epoch)) this.#eras.delete(tenantOf(key));
  }

  /** A text that nobody asked for lately goes; a new one is always right. */
  sweep(): void {
    const now = this.#clock.monotonicMs();
    for (const [tenant, era] of this.#eras) {
      if (now - era.usedMs >= this.#keepMs) this.#eras.delete(tenant);
    }
  }

  clear(): void {
    this.#eras.clear();
  }
}

/** The hash keeps channels apart: a position that a client took from another channel should not pass. */
function epochIn(era: string, key: ChannelKey): string {
  return era + Bun.hash.xxHash32(key).toString(36);
}
