import { refuse } from "@aldis/protocol";
import packageJson from "../package.json" with { type: "json" };
import { createApi } from "./api/api.ts";
import { judgeKey } from "./api/judge-key.ts";
import { type ApiKeys, createApiKeys } from "./auth/api-keys.ts";
import type { Publisher } from "./channel/publisher.ts";
import type { Moving } from "./cluster/moving.ts";
import { createNodeControl } from "./cluster/node-control.ts";
import { adminKeyFrom } from "./config/api-schema.ts";
import type { Config } from "./config/schema.ts";
import { configWarnings } from "./config/warnings.ts";
import { connectionDeps } from "./gateway/connection-parts.ts";
import { gaugesOf } from "./gateway/gauges.ts";
import { ingestPart } from "./gateway/ingest-part.ts";
import { NodeMoving } from "./gateway/moving.ts";
import { namespaceChanges } from "./gateway/namespace-part.ts";
import { takeMessageOf } from "./gateway/plugin-part.ts";
import { type SessionParts, sessionDeps } from "./gateway/session-parts.ts";
import { type PartOptions, type Shared, sharedParts } from "./gateway/shared-parts.ts";
import { stop } from "./gateway/stopping.ts";
import { openUsage, type UsagePart } from "./gateway/usage-part.ts";
import { createMetricsPage } from "./listen/metrics-page.ts";
import { type ListenDeps, type Listener, listen } from "./listen/server.ts";
import type { Counters } from "./observe/counters.ts";
import type { NamespaceChanges } from "./reach/namespace-changes.ts";
import type { TenantId } from "./tenant/tenant.ts";

export type GatewayOptions = PartOptions & {
  /** Further pages to serve, asked after the gateway's own. */
  readonly pages?: ListenDeps["pages"];
};

/** A running gateway. Several may run in one process; they share nothing. */
export type Gateway = {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly counters: Readonly<Counters>;
  readonly publisher: Publisher;
  /** Whether it takes connections now. */
  readonly ready: boolean;
  /** Connected sessions at this moment. */
  readonly connections: number;
  /** Bytes that wait in the outboxes of all connections. O(connections). */
  readonly queuedBytes: number;
  /**
   * Stops without a storm (P6): takes no more connections, tells clients over `drain.windowMs` to move, waits for what is under way, then
   * closes. Idempotent; {@link close} cuts it short.
   */
  drain(): Promise<void>;
  /** Stops listening, tells every client to come back (4012), and lets go of everything. Idempotent. */
  close(): Promise<void>;
};

/** Builds the parts, top to bottom in the order in which a message passes them, and starts to listen. */
export function startGateway(options: GatewayOptions): Gateway {
  const { config } = options;
  const shared = sharedParts(options, () =>
    gaugesOf({ ...shared, connection, session: session.deps, ingest: () => ingest, isReady }),
  );
  const { log, counters, publisher, limits, late, metrics, secret } = shared;
  for (const { path, message } of configWarnings(config)) log.warn({ setting: path }, message);
  const connection = connectionDeps(shared);
  const session = sessionDeps(shared);
  let ready = true;
  shared.readiness.require("running", () => ready && !moving.draining);
  const isReady = () => shared.readiness.isReady;
  const pendingRequests = () => listener.pendingRequests;
  const moving = new NodeMoving({ ...shared, connection, session, pendingRequests });
  const keys = apiKeys(shared);
  const changes = namespaceChanges(shared, session);
  const usage = openUsage(shared);
  const listener: Listener = listen({
    late,
    config: config.listen,
    limits,
    connectionsMax: config.limits.connectionsPerNode,
    connection,
    session: session.deps,
    log,
    api: openApi(shared, { session, moving, keys, namespaceChanges: changes, usage }),
    metrics: metricsPage(shared, keys),
    observeHttp: metrics.observeHttp,
    pages: options.pages,
    isStarted: () => secret.isKnown,
    isStopping: () => !ready || moving.draining,
    isWorker: options.isWorker ?? false,
    waitsFor: () => shared.readiness.missing,
  });
  shared.cluster.start();
  // What is to be done stands in the store.
  shared.opening.whenOpen(() => shared.jobs.start());
  const ingest = options.isWorker === true ? undefined : ingestPart(shared);
  const what = options.isWorker === true ? "worker is listening" : "gateway is listening";
  log.info({ url: listener.url, ...summaryOf(config) }, what);

  let closed: Promise<void> | undefined;
  let drained: Promise<void> | undefined;
  function close(): Promise<void> {
    ready = false;
    closed ??= stop({ ...shared, listener, connection, session, ingest, changes, usage });
    return closed;
  }
  return {
    ...{ url: listener.url, port: listener.port, counters, publisher },
    get ready() {
      return isReady();
    },
    get connections() {
      return session.deps.live.size;
    },
    get queuedBytes() {
      const connections = connection.heartbeat.connections();
      return connections.reduce((bytes, { outbox }) => bytes + outbox.queuedBytes, 0);
    },
    drain() {
      ready = false;
      late.close(); // requests that wait for a refusal are under way, too
      drained ??= Promise.all([moving.empty(), ingest?.close(), shared.jobs.close()]).then(close);
      return drained;
    },
    close,
  };
}

function openApi(
  shared: Shared,
  parts: {
    readonly session: SessionParts;
    readonly moving: Moving;
    readonly keys: ApiKeys;
    readonly namespaceChanges: NamespaceChanges;
    readonly usage: UsagePart;
  },
) {
  const { config, secret, limits, tenancy } = shared;
  const { session, moving, keys, namespaceChanges, usage } = parts;
  return createApi({
    ...shared,
    ...session.deps,
    nodeControl: createNodeControl({ ...shared, moving }),
    tenants: shared.tenants,
    cursorKeys: secret.keysFor("cursors"),
    directMaxBytes: config.listen.frameMaxBytes,
    tokenMaxBytes: config.auth.tokenMaxBytes,
    keys,
    guesses: limits.keyGuesses,
    bodyMaxBytes: config.listen.bodyMaxBytes,
    namespaceChanges,
    readUsage: usage.read,
    pluginRoutes: session.plugins.routes,
    tenantRouteDeps: tenancy.kept && { ...tenancy.kept, directory: tenancy.directory },
    takeMessage: takeMessageOf(limits.session, shared.clock),
  });
}

function metricsPage({ config, counters, limits, metrics }: Shared, keys: ApiKeys) {
  return createMetricsPage(metrics, ({ headers }, address) => {
    if (config.metrics.public) return undefined;
    const deps = { keys, guesses: limits.keyGuesses, counters };
    const judged = judgeKey(deps, headers.get("authorization"), address);
    if (!judged.ok) return judged;
    const may = judged.value.scopes.has("metrics");
    return may ? undefined : refuse("unauthorized", "send an API key that may read metrics");
  });
}

/** What one asks first when something is wrong; the rest is in `aldis config show`. */
function summaryOf({ namespaces, api, jobs, listen: { tls, compression } }: Config) {
  return {
    version: packageJson.version,
    namespaces: Object.keys(namespaces).length,
    apiKeys: api.keys.length,
    queues: jobs.queues.join(","),
    tls: tls !== undefined,
    compression,
  };
}

function apiKeys({ config, tenancy }: Shared) {
  const { keys, adminKeys } = config.api;
  const admins = adminKeys.map((text, place) => ({
    ...{ ...adminKeyFrom(text), id: `api.adminKeys.${place}` },
  }));
  // The config's schema has checked the tenants' grammar.
  const all = [...keys, ...admins].map((key) => ({ ...key, tenant: key.tenant as TenantId }));
  return createApiKeys(all, tenancy.keys);
}
