import type { Config } from "../config/schema.ts";
import type { TenantAccount } from "../limits/tenant-account.ts";
import { TenantAccounts } from "../limits/tenant-accounts.ts";
import { type Counters, countOne } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { Quotas, Tenants } from "../tenant/tenants.ts";
import type { Clock } from "../time/clock.ts";

/** One that stays at its quota is no news. */
const TELL_MS = 60_000;

/** The tenants, what each does on this node, and the quotas that it is held to. */
export function openAccounts(
  deps: {
    readonly counters: Counters;
    readonly log: Log;
    readonly clock: Clock;
    readonly tenants: Tenants;
  },
  { tenants: { accountsMax } }: Pick<Config, "tenants">,
): TenantAccounts {
  const { counters, log, clock, tenants } = deps;
  const onRefused = (account: TenantAccount, quota: keyof Quotas) => {
    countOne(counters.quotaRefusals, quota);
    const nowMs = clock.monotonicMs();
    const { tenant, quotas, toldAtMs = {} } = account;
    if (nowMs - (toldAtMs[quota] ?? Number.NEGATIVE_INFINITY) < TELL_MS) return;
    account.toldAtMs = { ...toldAtMs, [quota]: nowMs };
    log.warn({ tenant, quota, limit: quotas[quota] }, "a tenant is at a quota");
  };
  const onUncounted = () => void counters.tenantsUncounted++;
  const tallies = counters.byTenant;
  return new TenantAccounts({ tenants, tallies, onRefused, onUncounted }, accountsMax);
}
