import type { OwnSecrets } from "../auth/own-secrets.ts";
import type { Namespaces } from "../channel/namespaces.ts";
import type { NodeBus } from "../cluster/node-bus.ts";
import type { Config } from "../config/schema.ts";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { RandomIds } from "../random/random.ts";
import { namespaceSink } from "../reach/kept-namespaces.ts";
import type { Sealing } from "../secrets/sealing.ts";
import type { Records, Store } from "../store/store.ts";
import { Administration } from "../tenant/administration.ts";
import { type Audit, createAudit } from "../tenant/audit.ts";
import { ChangeRates } from "../tenant/change-rates.ts";
import { Follower } from "../tenant/follower.ts";
import { KeyAdministration } from "../tenant/key-administration.ts";
import { KeyTable } from "../tenant/key-table.ts";
import { quotasOf } from "../tenant/quotas-of.ts";
import {
  CHANGES,
  DIRECTORY,
  KEYS,
  NAMESPACES,
  type NamespaceRecord,
  TENANTS,
  type TenantRecord,
  TOKEN_SECRETS,
} from "../tenant/records.ts";
import type { Sink } from "../tenant/reload.ts";
import { SecretAdministration } from "../tenant/secret-administration.ts";
import { DEFAULT_TENANT, type TenantId } from "../tenant/tenant.ts";
import { TenantDirectory } from "../tenant/tenant-directory.ts";
import { TokenSecrets } from "../tenant/token-secrets.ts";
import { createUpkeep } from "../tenant/upkeep.ts";
import type { Clock } from "../time/clock.ts";
import { parseOptions } from "./namespace-part.ts";
import { storeTarget } from "./store-part.ts";

/** Polls of the log within which every node that lives has heard of a change. */
const HEARD_POLLS = 5;

/** What this gateway knows of tenants, and what may be done to them. */
export type Tenancy = {
  readonly directory: TenantDirectory;
  readonly keys: KeyTable;
  /** Undefined: there is no store, and no tenants but those that the configuration and tokens name. */
  readonly kept: KeptTenancy | undefined;
  /** Told after a tenant's namespaces have changed in the store. */
  readonly onNamespaces: ((tenant: TenantId) => void)[];
};

export type KeptTenancy = {
  readonly follower: Follower;
  readonly administration: Administration;
  readonly keyAdministration: KeyAdministration;
  readonly secretAdministration: SecretAdministration;
  readonly ownSecrets: OwnSecrets;
  readonly audit: Audit;
  readonly changeRates: ChangeRates;
  readonly namespaceRecords: Records<NamespaceRecord>;
  readonly tenants: Records<TenantRecord>;
  close(): Promise<void>;
};

export type TenancyDeps = {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly log: Log;
  readonly counters: Counters;
  readonly bus: NodeBus;
  readonly store: Store | undefined;
  readonly directory: TenantDirectory;
  readonly namespaces: Namespaces;
  readonly sealing: Sealing;
};

/** Empty: what is configured alone. */
export function createDirectory(config: Config): TenantDirectory {
  return new TenantDirectory({
    open: config.tenants.open,
    configured: configuredTenants(config),
    quotas: quotasOf(config.tenants.quotas),
    isKept: storeTarget(config).kind !== "none",
  });
}

export function openTenancy(deps: TenancyDeps): Tenancy {
  const { clock, store, directory } = deps;
  const keys = new KeyTable(clock);
  const onNamespaces: Tenancy["onNamespaces"] = [];
  const namespaces = namespaceSink({
    ...{ namespaces: deps.namespaces, parse: parseOptions },
    onChange(tenant) {
      for (const told of onNamespaces) told(tenant);
    },
  });
  const kept = store && openKept(deps, { store, directory, keys, namespaces });
  return { directory, keys, kept, onNamespaces };
}

function openKept(
  deps: TenancyDeps,
  parts: {
    readonly store: Store;
    readonly directory: TenantDirectory;
    readonly keys: KeyTable;
    readonly namespaces: Sink<NamespaceRecord>;
  },
): KeptTenancy {
  const { store, directory, keys, namespaces } = parts;
  const { config, clock, random, log, bus, sealing } = deps;
  const { tenants: options } = config;
  const records = {
    tenants: store.records(TENANTS),
    keys: store.records(KEYS),
    tokenSecrets: store.records(TOKEN_SECRETS),
    namespaces: store.records(NAMESPACES),
    changes: store.records(CHANGES),
  };
  const tokenSecrets = new TokenSecrets(clock, sealing, (tenant, id) =>
    log.error({ tenant, id }, "a token secret cannot be opened: see store.secretsKey"),
  );
  directory.onGone((tenant) => {
    for (const sink of [keys, tokenSecrets, namespaces]) forgetAll(sink, tenant);
  });
  const follower = new Follower(
    {
      ...{ clock, log, bus, changes: records.changes },
      kinds: {
        tenant: { records: records.tenants, sink: tenantSink(directory) },
        key: { records: records.keys, sink: keys },
        "token-secret": { records: records.tokenSecrets, sink: tokenSecrets },
        namespace: { records: records.namespaces, sink: namespaces },
      },
    },
    { ...options, pollMs: config.broker === "memory" ? undefined : options.pollMs },
  );
  const common = { clock, random, directory, follower };
  const lingerMs = (tenant: TenantId) => {
    const ttls = deps.namespaces.list(tenant).map((namespace) => namespace.options.history.ttlMs);
    // Every node has heard of it by then, whatever became of the messages.
    return Math.max(config.session.resumeMs, ...ttls) + HEARD_POLLS * options.pollMs;
  };
  const { changesPerMinute } = options;
  const { bucketsMax } = config.limits;
  const changeRates = new ChangeRates(deps, { changesPerMinute, bucketsMax });
  const audit = createAudit({ clock, changes: records.changes, rates: changeRates });
  const upkeep = createUpkeep({ clock, log, keys, records }, options);
  return {
    follower,
    administration: new Administration(
      { ...common, tenants: records.tenants, lingerMs },
      options.max,
    ),
    keyAdministration: new KeyAdministration(
      { ...common, records: records.keys, table: keys },
      options.keysMax,
    ),
    secretAdministration: new SecretAdministration({
      ...{ ...common, records: records.tokenSecrets, sealing },
    }),
    ownSecrets: {
      get size() {
        return tokenSecrets.size;
      },
      of: (tenant) => tokenSecrets.of(tenant),
      get isLoaded() {
        return follower.isLoaded;
      },
      whenLoaded: () => loadedInTime(follower, clock, config.store.timeoutMs),
      isConfigured: (tenant) => directory.isConfigured(tenant),
    },
    namespaceRecords: records.namespaces,
    tenants: records.tenants,
    ...{ audit, changeRates },
    async close() {
      follower.close();
      await upkeep.close();
    },
  };
}

/** Whether it was loaded within `limitMs`. */
function loadedInTime(follower: Follower, clock: Clock, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(limitMs, () => resolve(follower.isLoaded));
    void follower.loaded().then(() => {
      timer.cancel();
      resolve(true);
    });
  });
}

/** Attack: a key of a deleted tenant, at whoever has its id now. Reading everything anew would find it, but later. */
function forgetAll(sink: Sink<never>, tenant: TenantId): void {
  for (const id of [...sink.idsOf(tenant)]) sink.apply(tenant, id, undefined);
}

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
