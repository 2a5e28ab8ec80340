import type { NodeBus } from "../cluster/node-bus.ts";
import type { Config } from "../config/schema.ts";
import type { Log } from "../observe/log.ts";
import type { RandomIds } from "../random/random.ts";
import type { Store } from "../store/store.ts";
import { Administration } from "../tenant/administration.ts";
import { type Audit, createAudit } from "../tenant/audit.ts";
import { Follower } from "../tenant/follower.ts";
import { KeyAdministration } from "../tenant/key-administration.ts";
import { KeyTable } from "../tenant/key-table.ts";
import { quotasOf } from "../tenant/quotas-of.ts";
import { CHANGES, DIRECTORY, KEYS, NAMESPACES, TENANTS, TOKEN_SECRETS } from "../tenant/records.ts";
import type { Sink } from "../tenant/reload.ts";
import { DEFAULT_TENANT, type TenantId } from "../tenant/tenant.ts";
import { TenantDirectory } from "../tenant/tenant-directory.ts";
import { createUpkeep } from "../tenant/upkeep.ts";
import type { Clock } from "../time/clock.ts";

/** What this gateway knows of tenants, and what may be done to them. */
export type Tenancy = {
  readonly directory: TenantDirectory;
  readonly keys: KeyTable;
  /** Undefined: there is no store, and no tenants but those that the configuration and tokens name. */
  readonly kept: KeptTenancy | undefined;
};

export type KeptTenancy = {
  readonly follower: Follower;
  readonly administration: Administration;
  readonly keyAdministration: KeyAdministration;
  readonly audit: Audit;
  close(): Promise<void>;
};

export type TenancyDeps = {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly log: Log;
  readonly bus: NodeBus;
  readonly store: Store | undefined;
  readonly directory: TenantDirectory;
};

/** Empty: what is configured alone. */
export function createDirectory(config: Config): TenantDirectory {
  return new TenantDirectory({
    open: config.tenants.open,
    configured: configuredTenants(config),
    quotas: quotasOf(config.tenants.quotas),
  });
}

export function openTenancy(deps: TenancyDeps): Tenancy {
  const { clock, store, directory } = deps;
  const keys = new KeyTable(clock);
  const kept = store && openKept(deps, { store, directory, keys });
  return { directory, keys, kept };
}

function openKept(
  { config, clock, random, log, bus }: TenancyDeps,
  parts: { readonly store: Store; readonly directory: TenantDirectory; readonly keys: KeyTable },
): KeptTenancy {
  const { store, directory, keys } = parts;
  const { tenants: options } = config;
  const records = {
    tenants: store.records(TENANTS),
    keys: store.records(KEYS),
    changes: store.records(CHANGES),
  };
  const follower = new Follower(
    {
      ...{ clock, log, bus, changes: records.changes },
      kinds: {
        tenant: { records: records.tenants, sink: tenantSink(directory) },
        key: { records: records.keys, sink: keys },
        "token-secret": { records: store.records(TOKEN_SECRETS), sink: NOWHERE },
        namespace: { records: store.records(NAMESPACES), sink: NOWHERE },
      },
    },
    { ...options, pollMs: config.broker === "memory" ? undefined : options.pollMs },
  );
  const common = { clock, random, directory, follower };
  const upkeep = createUpkeep({ clock, log, keys, records }, options);
  return {
    follower,
    administration: new Administration({ ...common, tenants: records.tenants }, options.max),
    keyAdministration: new KeyAdministration(
      { ...common, records: records.keys, table: keys },
      options.keysMax,
    ),
    audit: createAudit(records.changes),
    async close() {
      follower.close();
      await upkeep.close();
    },
  };
}

const NOWHERE: Sink<object> = { apply() {}, owners: () => [], idsOf: () => [] };

function tenantSink(directory: TenantDirectory) {
  return {
    apply: (_: TenantId, ...what: Parameters<TenantDirectory["apply"]>) => directory.apply(...what),
    owners: () => [DIRECTORY],
    idsOf: () => directory.ids(),
  };
}

/** The default one, and those that have keys in the configuration; its schema has checked their grammar. */
function configuredTenants({ api }: Config): ReadonlySet<TenantId> {
  return new Set([DEFAULT_TENANT, ...api.keys.map(({ tenant }) => tenant as TenantId)]);
}
