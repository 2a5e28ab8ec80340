import type { TenantId } from "./tenant.ts";

/** One thing that a tenant holds, and its place in the order of use. Belongs to one {@link Shares}. */
export class Holding<T> {
  readonly tenant: TenantId;
  readonly what: T;
  weight = 0;
  /** The share that it is in now. */
  share: Share<T> | undefined = undefined;
  older: Holding<T> | undefined = undefined;
  newer: Holding<T> | undefined = undefined;

  constructor(tenant: TenantId, what: T) {
    this.tenant = tenant;
    this.what = what;
  }
}

type Share<T> = {
  weight: number;
  oldest: Holding<T> | undefined;
  newest: Holding<T> | undefined;
};

/**
 * What tenants hold of something that is bounded for all of them together, each tenant's in order of use. When there
 * is no more room, who holds the most gives way (P3). The holdings are linked, as touching one is on the path of each
 * publish, and as taking the first of a large `Map` again and again is slow in JavaScriptCore.
 */
export class Shares<T> {
  /** Of everything held. */
  weight = 0;
  readonly #byTenant = new Map<TenantId, Share<T>>();
  /** The largest share when they were last compared, and what none of the others has weighed more than since. */
  #largest: Share<T> | undefined;
  #othersMax = 0;

  /** It is the latest used of its tenant's from now on, and weighs this much. O(1) */
  touch(holding: Holding<T>, weight: number): void {
    let share = holding.share;
    if (share === undefined) share = this.#shareOf(holding.tenant);
    else if (share.newest !== holding) unlink(share, holding);
    if (share.newest !== holding) link(share, holding);
    this.#weigh(share, holding, weight);
  }

  /** Its weight has changed, its place has not. */
  weigh(holding: Holding<T>, weight: number): void {
    if (holding.share !== undefined) this.#weigh(holding.share, holding, weight);
  }

  remove(holding: Holding<T>): void {
    const { share } = holding;
    if (share === undefined) return;
    this.#weigh(share, holding, 0);
    unlink(share, holding);
    if (share.oldest === undefined) this.#byTenant.delete(holding.tenant);
  }

  /**
   * What gives way when `tenant` needs room: its own least recently used, or, if another's share weighs more than its own,
   * that of the tenant that has the most. Undefined: nobody holds anything. O(1) as long as the same tenant has the most, or all have
   * the same; else O(tenants).
   */
  firstToGo(tenant: TenantId): T | undefined {
    const own = this.#byTenant.get(tenant);
    if (own !== undefined && own.weight >= Math.max(this.#othersMax, this.#largest?.weight ?? 0)) {
      return own.oldest?.what;
    }
    if (this.#largest === undefined || this.#largest.weight < this.#othersMax) this.#compare();
    const largest = this.#largest;
    const giving = own !== undefined && own.weight >= (largest?.weight ?? 0) ? own : largest;
    return giving?.oldest?.what;
  }

  /** Walks each tenant's holdings from the least recently used on, until `visit` says "enough" of that tenant. It may remove what it visits. */
  eachTenant(visit: (what: T) => "on" | "enough"): void {
    for (const share of this.#byTenant.values()) {
      let holding = share.oldest;
      while (holding !== undefined) {
        const { newer } = holding;
        if (visit(holding.what) === "enough") break;
        holding = newer;
      }
    }
  }

  clear(): void {
    this.#byTenant.clear();
    this.#largest = undefined;
    this.#othersMax = 0;
    this.weight = 0;
  }

  #compare(): void {
    let largest: Share<T> | undefined;
    let othersMax = 0;
    for (const share of this.#byTenant.values()) {
      if (largest === undefined || share.weight > largest.weight) {
        othersMax = largest?.weight ?? 0;
        largest = share;
      } else if (share.weight > othersMax) othersMax = share.weight;
    }
    this.#largest = largest;
    this.#othersMax = othersMax;
  }

  #shareOf(tenant: TenantId): Share<T> {
    const known = this.#byTenant.get(tenant);
    if (known !== undefined) return known;
    const share = { weight: 0, oldest: undefined, newest: undefined };
    this.#byTenant.set(tenant, share);
    return share;
  }

  #weigh(share: Share<T>, holding: Holding<T>, weight: number): void {
    const difference = weight - holding.weight;
    holding.weight = weight;
    share.weight += difference;
    this.weight += difference;
    if (share !== this.#largest && share.weight > this.#othersMax) this.#othersMax = share.weight;
  }
}

function link<T>(share: Share<T>, holding: Holding<T>): void {
  holding.share = share;
  holding.older = share.newest;
  if (share.newest === undefined) share.oldest = holding;
  else share.newest.newer = holding;
  share.newest = holding;
}

function unlink<T>(share: Share<T>, holding: Holding<T>): void {
  const { older, newer } = holding;
  if (older === undefined) share.oldest = newer;
  else older.newer = newer;
  if (newer === undefined) share.newest = older;
  else newer.older = older;
  holding.older = undefined;
  holding.newer = undefined;
  holding.share = undefined;
}
