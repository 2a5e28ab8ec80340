import packageJson from "../../package.json" with { type: "json" };
import { channelOptions } from "../channel/channel-options.ts";
import { Namespaces } from "../channel/namespaces.ts";
import type { PublishHooks } from "../channel/publish-hooks.ts";
import { createPublisher, type Publisher } from "../channel/publisher.ts";
import type { NodeBus } from "../cluster/node-bus.ts";
import type { NodeRegistry } from "../cluster/node-registry.ts";
import { namespaceSchema } from "../config/namespace-schema.ts";
import type { Config } from "../config/schema.ts";
import { Hub } from "../hub/hub.ts";
import { Signals } from "../hub/signals.ts";
import type { JobWorker } from "../jobs/jobs.ts";
import { JOBS_PLAN } from "../jobs/store/records.ts";
import { ChannelQuota } from "../limits/channel-quota.ts";
import { createLimits, type Limits } from "../limits/create-limits.ts";
import { LateRefusals } from "../limits/late-refusals.ts";
import type { TenantAccounts } from "../limits/tenant-accounts.ts";
import { type Counters, createCounters } from "../observe/counters.ts";
import { FanOutProbe } from "../observe/fan-out-probe.ts";
import { type LimitedLog, limitLog } from "../observe/limited-log.ts";
import { createLog } from "../observe/log.ts";
import type { Gauges } from "../observe/metrics/gauge-metrics.ts";
import { createMetrics, type Metrics } from "../observe/metrics/metrics.ts";
import { createTenantTallies } from "../observe/tenant-tallies.ts";
import type { OutboundClient } from "../outbound/outbound.ts";
import { type ConfiguredPlugin, type PluginEntry, storePlans } from "../plugins/host/collect.ts";
import {
  type ConnectionIds,
  createPlainConnectionIds,
  createSealedConnectionIds,
} from "../random/connection-ids.ts";
import { createRandomIds, type RandomIds } from "../random/random.ts";
import { openShards, type Shards } from "../redis/shards.ts";
import { createRedisSecret } from "../secrets/redis/redis-secret.ts";
import { createSealing, type Sealing } from "../secrets/sealing.ts";
import { createOwnSecret, type SharedSecret } from "../secrets/shared-secret.ts";
import type { Keeping, MeteredStore } from "../store/metered-store.ts";
import { type StorePlan, shapesOf } from "../store/plan.ts";
import { TENANCY_PLAN } from "../tenant/records.ts";
import { startRemoval } from "../tenant/removal.ts";
import { type ChannelKey, type TenantId, tenantOf } from "../tenant/tenant.ts";
import type { RegisteredTenants } from "../tenant/tenants.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { usagePlan } from "../usage/collection.ts";
import { openAccounts } from "./account-part.ts";
import { type BrokerPart, type MeasuredBroker, openBroker } from "./broker-part.ts";
import { type ClusterParts, clusterParts } from "./cluster-parts.ts";
import { openJobs, queueGauges } from "./jobs-part.ts";
import { openOutbound } from "./outbound-part.ts";
import { choosePlugins } from "./plugin-part.ts";
import { Readiness } from "./readiness.ts";
import { StoreOpening } from "./store-opening.ts";
import { openStore, storeTarget } from "./store-part.ts";
import { createDirectory, openTenancy, type Tenancy, type TenancyDeps } from "./tenant-part.ts";

/** What a gateway is made from. */
export type PartOptions = {
  readonly config: Config;
  /** Where log lines go; without it nothing is logged. */
  readonly write?: (line: string) => void;
  readonly clock?: Clock;
  readonly random?: RandomIds;
  /** It works its queues alone: no client is let in, and nothing but health and metrics is served. Default: false. */
  readonly isWorker?: boolean;
  /** What the store is set up for; without any there is none. */
  readonly plans?: readonly StorePlan[];
  /** The store is not for this gateway, as its `StoreUnfit` tells: close it. It is logged in any case. */
  readonly onUnfit?: (error: Error) => void;
  /** Plugins beside the gateway's own features, in this order. Those of `config.plugins` are loaded by whoever starts the gateway. */
  readonly plugins?: readonly PluginEntry[];
};

/** The parts that others are made of. */
export type Shared = {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly log: LimitedLog;
  /** Another log to the same place, limited by itself. */
  readonly openLog: () => LimitedLog;
  readonly counters: Counters;
  /** The Redis of the cluster; undefined: this node is alone. */
  readonly shards: Shards | undefined;
  readonly secret: SharedSecret;
  readonly cluster: ClusterParts;
  readonly registry: NodeRegistry;
  readonly bus: NodeBus;
  readonly ids: ConnectionIds;
  readonly namespaces: Namespaces;
  readonly tenancy: Tenancy;
  readonly sealing: Sealing;
  /** When what is kept can be read. */
  readonly opening: StoreOpening;
  /** Undefined: nothing is kept. */
  readonly store: MeteredStore | undefined;
  readonly jobs: JobWorker;
  readonly broker: MeasuredBroker;
  readonly brokerPart: BrokerPart;
  readonly readiness: Readiness;
  readonly hub: Hub;
  readonly signals: Signals;
  readonly publisher: Publisher;
  /** What plugins decide about publications, once they are there. */
  readonly publishHooks: PublishHooks;
  readonly limits: Limits;
  readonly tenants: RegisteredTenants;
  readonly channels: ChannelQuota;
  /** Who counts what tenants keep in the store, once they are there. */
  readonly keeping: { by: Keeping | undefined };
  readonly accounts: TenantAccounts;
  readonly late: LateRefusals;
  readonly metrics: Metrics;
  /** Requests to servers that tenants and users name. */
  readonly outbound: OutboundClient;
  readonly probe: FanOutProbe;
  /** All that run, the gateway's own features first. */
  readonly plugins: readonly ConfiguredPlugin[];
};

export function sharedParts(options: PartOptions, gauges: () => Gauges): Shared {
  const { config } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? createRandomIds();
  const openLog = logs(options, clock);
  const log = openLog();
  const plugins = pluginsOf(options, log);
  const counters = countersOf(config);
  const tenants = createDirectory(config);
  const accounts = openAccounts({ tenants, counters, log, clock }, config);
  const late = new LateRefusals({ clock, counters }, config.tenants.refusals);
  const metrics = createMetrics({
    ...{ counters, gauges, version: packageJson.version },
    queues: () => queueGauges(jobs, registry),
  });
  const outbound = openOutbound({ clock, counters, metrics }, config);
  const shards = openShards(config, counters, (shard, error) =>
    log.warn({ shard, error }, "a Redis cannot be used"),
  );
  const secret =
    shards === undefined ? createOwnSecret() : createRedisSecret({ home: shards.home, clock, log });
  const own = { config, clock, random, counters, log, ...identityOf(options, metrics) };
  const cluster = clusterParts(own, shards);
  const { registry, bus } = cluster;
  const ids = connectionIds(shards, registry, { random, secret });
  const namespaces = new Namespaces(config.namespaces, namespaceSchema.parse({}));
  const brokerPart = openBroker(
    {
      ...{ shards, clock, random, counters, log, metrics },
      deliver: (key, publication, epoch) => hub.deliver(key, publication, epoch),
      onDoubt: (concerned) => hub.checkPositions(concerned),
      deliverSignal: (key, feature, body) => signals.deliver(key, feature, body),
      historyQuotaOf: (tenant) => accounts.of(tenant).quotas.historyBytes,
    },
    config,
  );
  const { broker } = brokerPart;
  const sealing = createSealing([config.store.secretsKey ?? []].flat());
  const places = { bus, shards, registry, namespaces, sealing, directory: tenants };
  const records = recordParts(options, plugins, { ...own, ...places, metrics });
  const { store, opening, tenancy, keeping } = records;
  const jobs: JobWorker = records.jobs;
  const readiness = readinessOf({ secret, registry, brokerPart, store, tenancy });
  const probe = new FanOutProbe({ clock, counters }, metrics.observeFanOut);
  const countOf = (key: ChannelKey) => accounts.of(tenantOf(key));
  const hub: Hub = new Hub(
    { ...own, broker, optionsOf: channelOptions(namespaces), meter: probe, countOf },
    config.channel,
  );
  const signals: Signals = new Signals(broker);
  const limits = createLimits({ clock, counters }, config);
  const publishHooks: PublishHooks = {};
  const subscriberCount = (key: ChannelKey) => hub.subscriberCount(key);
  const channels = new ChannelQuota({ accounts, clock, subscriberCount });
  const publisher = createPublisher({
    ...{ broker, hub, namespaces, counters, rates: limits.channels, accounts, channels },
    hooks: publishHooks,
  });
  return {
    ...{ config, clock, random, log, openLog, counters, metrics, outbound, plugins },
    ...{ shards, secret, cluster, registry, bus, ids, store, opening, jobs },
    ...{ namespaces, broker, brokerPart, readiness, probe, hub, signals },
    ...{ publisher, publishHooks, limits, tenancy, tenants, accounts, late },
    ...{ keeping, channels, sealing },
  };
}

function countersOf({ metrics, api }: Config): Counters {
  const first = api.keys.map(({ tenant }) => tenant as TenantId);
  return createCounters(createTenantTallies({ max: metrics.tenantsMax, first }));
}

function identityOf({ isWorker = false }: PartOptions, metrics: Metrics) {
  const { version } = packageJson;
  return { version, isWorker, loopLagSeconds: () => metrics.loopLagSeconds };
}

/** What is kept, and what follows from it. */
function recordParts(
  options: PartOptions,
  plugins: readonly ConfiguredPlugin[],
  deps: Omit<TenancyDeps, "store"> & Pick<Shared, "counters" | "metrics" | "shards" | "registry">,
) {
  const { config } = deps;
  const plans = plansOf(options, plugins);
  const keeping: Shared["keeping"] = { by: undefined };
  const opening = new StoreOpening();
  const store = openStore(
    {
      ...{ ...deps, plans, keeping: () => keeping.by },
      onUnfit: options.onUnfit ?? (() => {}),
      onOpen: () => opening.opened(),
    },
    config,
  );
  if (store === undefined) opening.opened();
  const tenancy = openTenancy({ ...deps, store });
  opening.whenOpen(() => tenancy.kept?.follower.start());
  const { isWorker = false } = options;
  const jobs = openJobs({ ...deps, store, isWorker }, config);
  if (tenancy.kept !== undefined && store !== undefined) {
    const shapes = plans.flatMap((plan) => [...shapesOf(plan).values()]);
    const collections = shapes.map((shape) => store.records(shape));
    const { deletedMax } = config.tenants;
    startRemoval({ ...deps, ...tenancy.kept, jobs, collections, deletedMax });
  }
  return { store, opening, tenancy, keeping, jobs };
}

function logs({ config, write = () => {} }: PartOptions, clock: Clock): () => LimitedLog {
  const plainLog = createLog(config.log.level, write);
  return () => limitLog(plainLog, clock);
}

function pluginsOf({ config, plugins = [] }: PartOptions, log: LimitedLog): ConfiguredPlugin[] {
  const hasStore = storeTarget(config).kind !== "none";
  return choosePlugins(config, plugins, { hasStore, log });
}

/** Those of plugins, and the gateway's own. */
function plansOf({ plans = [] }: PartOptions, plugins: readonly ConfiguredPlugin[]) {
  return [...storePlans(plugins), ...plans, usagePlan, TENANCY_PLAN, JOBS_PLAN];
}

function connectionIds(
  shards: Shards | undefined,
  { self }: NodeRegistry,
  { random, secret }: Pick<Shared, "random" | "secret">,
): ConnectionIds {
  if (shards === undefined) return createPlainConnectionIds(random);
  return createSealedConnectionIds(self, { random, keys: secret.keysFor("connections") });
}

function readinessOf({
  secret,
  registry,
  brokerPart,
  store,
  tenancy: { kept },
}: Pick<Shared, "secret" | "registry" | "brokerPart" | "store" | "tenancy">): Readiness {
  const readiness = new Readiness();
  readiness.require("secret", () => secret.isKnown);
  readiness.require("cluster", () => registry.joined);
  readiness.require("broker", () => brokerPart.isWell);
  if (store !== undefined) readiness.require("store", () => store.isWell);
  if (kept !== undefined) {
    // While the store is away, that is what is told.
    readiness.require("tenants", () => kept.follower.isLoaded || store?.isWell === false);
  }
  return readiness;
}
