import { OTHER_TENANTS, type TenantTallies } from "../observe/tenant-tallies.ts";
import type { TenantId } from "../tenant/tenant.ts";
import { NO_QUOTAS, type Quotas, type Tenants } from "../tenant/tenants.ts";
import { type AccountDeps, TenantAccount } from "./tenant-account.ts";
import { ToldBuckets } from "./told-buckets.ts";

export type TenantAccountsDeps = {
  readonly tenants: Tenants;
  readonly tallies: TenantTallies;
  readonly onRefused: (account: TenantAccount, quota: keyof Quotas) => void;
  /** There was no room for one more. */
  readonly onUncounted: () => void;
};

/**
 * The account of each tenant that does something on this node. At most `max` at a time: who comes then shares one without quotas, which is
 * counted. Attack: tokens for as many tenants as one likes; but who can make those needs no other way around a quota.
 */
export class TenantAccounts {
  /** Of tenants that found no room. */
  readonly others: TenantAccount;
  readonly messages = new ToldBuckets(
    "tenant-messages",
    (name) => this.find(name as TenantId)?.messageRate,
  );
  readonly bytes = new ToldBuckets("tenant-bytes", (name) => this.find(name as TenantId)?.byteRate);
  readonly #deps: TenantAccountsDeps;
  readonly #shared: AccountDeps;
  readonly #max: number;
  readonly #accounts = new Map<TenantId, TenantAccount>();

  constructor(deps: TenantAccountsDeps, max: number) {
    this.#deps = deps;
    this.#max = max;
    this.#shared = { messages: this.messages, bytes: this.bytes, onRefused: deps.onRefused };
    const others = { tenant: OTHER_TENANTS as TenantId, quotas: NO_QUOTAS };
    this.others = new TenantAccount(this.#shared, deps.tallies.others, others);
    deps.tenants.onChange((tenant) => {
      this.#accounts.get(tenant)?.fit(deps.tenants.of(tenant).quotas);
    });
  }

  of(tenant: TenantId): TenantAccount {
    return this.#accounts.get(tenant) ?? this.#add(tenant);
  }

  /** One that is there. */
  find(tenant: TenantId): TenantAccount | undefined {
    return this.#accounts.get(tenant);
  }

  get size(): number {
    return this.#accounts.size;
  }

  all(): Iterable<TenantAccount> {
    return this.#accounts.values();
  }

  /** It is made anew when it is needed again; for one that nothing holds. */
  forget(account: TenantAccount): void {
    if (this.#accounts.get(account.tenant) === account) this.#accounts.delete(account.tenant);
  }

  #add(tenant: TenantId): TenantAccount {
    if (this.#accounts.size >= this.#max) {
      this.#deps.onUncounted();
      return this.others;
    }
    const { tenants, tallies } = this.#deps;
    const { quotas } = tenants.of(tenant);
    const account = new TenantAccount(this.#shared, tallies.of(tenant), { tenant, quotas });
    this.#accounts.set(tenant, account);
    return account;
  }
}
