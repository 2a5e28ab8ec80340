import type { TenantId } from "../tenant/tenant.ts";

/** What is counted for one tenant; the fields only go up. */
export type TenantTally = {
  sessionsOpened: number;
  sessionsClosed: number;
  commands: number;
  publications: number;
};

export type TenantTallies = {
  /** The tenant's own, or the common one of those that came when there was no more room. Never allocates then. */
  of(tenant: TenantId): TenantTally;
  /** The common one. */
  readonly others: TenantTally;
  /** Label and tally of each. */
  entries(): Iterable<readonly [string, TenantTally]>;
};

/** The label of all tenants that have no own one. No tenant can be called so: parentheses are not in their grammar. */
export const OTHER_TENANTS = "(other)";

/**
 * Counts by tenant, for `max` of them. Attack: a platform that makes tenants freely, by tokens, would make as many series as it
 * likes; so who comes late shares one label. Those in `first` (they have API keys in the configuration) have their place in
 * any case, so that nobody else's names can take it.
 */
export function createTenantTallies(options: {
  readonly max: number;
  readonly first: Iterable<TenantId>;
}): TenantTallies {
  const own = new Map<string, TenantTally>();
  const others = emptyTally();
  const add = (tenant: TenantId): TenantTally => {
    if (own.size >= options.max) return others;
    const tally = emptyTally();
    own.set(tenant, tally);
    return tally;
  };
  for (const tenant of options.first) if (!own.has(tenant)) add(tenant);
  return {
    of: (tenant) => own.get(tenant) ?? add(tenant),
    others,
    *entries() {
      yield* own;
      yield [OTHER_TENANTS, others];
    },
  };
}

function emptyTally(): TenantTally {
  return { sessionsOpened: 0, sessionsClosed: 0, commands: 0, publications: 0 };
}
