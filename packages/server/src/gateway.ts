import { randomBytes } from "node:crypto";
import { refuse } from "@aldis/protocol";
import packageJson from "../package.json" with { type: "json" };
import { createApi } from "./api/api.ts";
import { judgeKey } from "./api/judge-key.ts";
import { type ApiKeys, createApiKeys } from "./auth/api-keys.ts";
import { createTokenVerifier } from "./auth/create-token-verifier.ts";
import type { KeySetOutcome } from "./auth/key-set.ts";
import { timed } from "./auth/timed-verifier.ts";
import { MemoryBroker } from "./broker/memory-broker.ts";
import { Namespaces } from "./channel/namespaces.ts";
import { createPublisher, type Publisher } from "./channel/publisher.ts";
import { jsonCodec } from "./codec/codec.ts";
import { createMessagePack } from "./codec/messagepack.ts";
import { namespaceSchema } from "./config/namespace-schema.ts";
import type { Config } from "./config/schema.ts";
import { configWarnings } from "./config/warnings.ts";
import {
  createBatchWriter,
  createBinaryWriter,
  createTextWriter,
} from "./connection/burst-writer.ts";
import type { ConnectionDeps } from "./connection/connection-deps.ts";
import { createProofPace } from "./connection/delivery-proof.ts";
import { drain } from "./connection/drain.ts";
import { createFlusher } from "./connection/flusher.ts";
import { createHeartbeat } from "./connection/heartbeat.ts";
import { gaugesOf } from "./gauges.ts";
import { Hub } from "./hub/hub.ts";
import { createLimits, type Limits } from "./limits/create-limits.ts";
import { createMetricsPage } from "./listen/metrics-page.ts";
import { type ListenDeps, type Listener, listen } from "./listen/server.ts";
import { type Counters, countOne, createCounters } from "./observe/counters.ts";
import { FanOutProbe } from "./observe/fan-out-probe.ts";
import { type LimitedLog, limitLog } from "./observe/limited-log.ts";
import { createLog } from "./observe/log.ts";
import type { Gauges } from "./observe/metrics/gauge-metrics.ts";
import { createMetrics, type Metrics } from "./observe/metrics/metrics.ts";
import { createRefusalLog } from "./observe/refusal-log.ts";
import { createTenantTallies } from "./observe/tenant-tallies.ts";
import { Presence } from "./presence/presence.ts";
import { createRandomIds, type RandomIds } from "./random/random.ts";
import { InFlight } from "./session/in-flight.ts";
import { LiveSessions } from "./session/live-sessions.ts";
import { reviewTenant } from "./session/review.ts";
import type { SessionDeps } from "./session/session-deps.ts";
import { createSessionSecrets } from "./session/session-secrets.ts";
import { createMemorySessionStore } from "./session/session-store.ts";
import type { TenantId } from "./tenant/tenant.ts";
import { type Clock, systemClock } from "./time/clock.ts";
import { createTyping } from "./typing/typing.ts";

export type GatewayOptions = {
  readonly config: Config;
  /** Where log lines go; without it nothing is logged. */
  readonly write?: (line: string) => void;
  readonly clock?: Clock;
  readonly random?: RandomIds;
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
    gaugesOf({ ...shared, connection, session: session.deps, isReady: () => ready }),
  );
  const { log, counters, publisher, limits, metrics } = shared;
  for (const { path, message } of configWarnings(config)) log.warn({ setting: path }, message);
  const connection = connectionDeps(shared);
  const session = sessionDeps(shared);
  let ready = true;
  const keys = apiKeys(config);
  const listener = listen({
    config: config.listen,
    limits,
    connectionsMax: config.limits.connectionsPerNode,
    connection,
    session: session.deps,
    log,
    api: createApi({
      ...shared,
      ...session.deps,
      secret: randomBytes(32),
      directMaxBytes: config.listen.frameMaxBytes,
      tokenMaxBytes: config.auth.tokenMaxBytes,
      keys,
      guesses: limits.keyGuesses,
      bodyMaxBytes: config.listen.bodyMaxBytes,
      onNamespaceChange: (tenant) => reviewTenant(session.deps, tenant),
    }),
    metrics: metricsPage(shared, keys),
    observeHttp: metrics.observeHttp,
    pages: options.pages,
    isReady: () => ready,
  });
  log.info(
    { url: listener.url, version: packageJson.version, ...summaryOf(config) },
    "gateway is listening",
  );

  let closed: Promise<void> | undefined;
  let drained: Promise<void> | undefined;
  function close(): Promise<void> {
    ready = false;
    closed ??= stop({ ...shared, listener, connection, session });
    return closed;
  }
  return {
    url: listener.url,
    port: listener.port,
    counters,
    publisher,
    get connections() {
      return session.deps.live.size;
    },
    get queuedBytes() {
      const connections = connection.heartbeat.connections();
      return connections.reduce((bytes, { outbox }) => bytes + outbox.queuedBytes, 0);
    },
    drain() {
      ready = false;
      drained ??= empty({ ...shared, listener, connection, session }).then(close);
      return drained;
    },
    close,
  };
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
function summaryOf({ namespaces, api, listen: { tls, compression } }: Config) {
  return {
    namespaces: Object.keys(namespaces).length,
    apiKeys: api.keys.length,
    tls: tls !== undefined,
    compression,
  };
}

/** The parts that others are made of. */
type Shared = {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: RandomIds;
  readonly log: LimitedLog;
  readonly counters: Counters;
  readonly namespaces: Namespaces;
  readonly broker: MemoryBroker;
  readonly hub: Hub;
  readonly publisher: Publisher;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly probe: FanOutProbe;
};

function sharedParts(options: GatewayOptions, gauges: () => Gauges): Shared {
  const { config } = options;
  const clock = options.clock ?? systemClock;
  const random = options.random ?? createRandomIds();
  const log = limitLog(createLog(config.log.level, options.write ?? (() => {})), clock);
  const counters = createCounters(
    createTenantTallies({
      max: config.metrics.tenantsMax,
      first: config.api.keys.map(({ tenant }) => tenant as TenantId),
    }),
  );
  const metrics = createMetrics({ counters, gauges, version: packageJson.version });
  const namespaces = new Namespaces(config.namespaces, namespaceSchema.parse({}));
  const broker = new MemoryBroker(
    { clock, random, deliver: (key, publication) => hub.deliver(key, publication) },
    config.channel,
  );
  const probe = new FanOutProbe({ clock, counters }, metrics.observeFanOut);
  const hub: Hub = new Hub(broker, probe);
  const limits = createLimits({ clock, counters }, config);
  const publisher = createPublisher({ broker, namespaces, counters, rates: limits.channels });
  return {
    ...{ config, clock, random, log, counters, metrics },
    ...{ namespaces, broker, probe, hub, publisher, limits },
  };
}

function connectionDeps({ config, clock, random, counters, log, probe }: Shared): ConnectionDeps {
  const { listen: listening, outbox, heartbeat } = config;
  const { proofIntervalMs: leastMs, proofsPerSecond: perSecond } = config.session;
  const proofs = createProofPace(
    { leastMs, perSecond },
    () => counters.connectionsOpened - counters.connectionsClosed,
  );
  const compressMinBytes = listening.compression
    ? listening.compressionMinBytes
    : Number.POSITIVE_INFINITY;
  const msgpack = createMessagePack();
  return {
    clock,
    random,
    counters,
    log,
    flusher: createFlusher(
      (flush) => setImmediate(flush),
      () => probe.end(),
    ),
    heartbeat: createHeartbeat(clock, {
      authTimeoutMs: config.auth.timeoutMs,
      pingIntervalMs: heartbeat.pingIntervalMs,
      idleTimeoutMs: heartbeat.idleTimeoutMs,
      proofs,
    }),
    outboxOptions: {
      maxBytes: outbox.maxBytes,
      resumeBytes: Math.min(outbox.resumeBytes, outbox.maxBytes),
      writer: createTextWriter(compressMinBytes),
      counters,
    },
    codecs: { json: jsonCodec, msgpack },
    binaryWriter: createBinaryWriter(compressMinBytes, msgpack.encode),
    batchWriter: createBatchWriter(compressMinBytes),
    limits: config.limits,
    proofs,
  };
}

type SessionParts = { readonly deps: SessionDeps; close(): void };

function sessionDeps(shared: Shared): SessionParts {
  const { config, clock, counters, hub, namespaces, limits, log, metrics } = shared;
  const refusals = createRefusalLog(log, clock);
  const onKeySetFetch = (outcome: KeySetOutcome) => {
    countOne(counters.keySetFetches, outcome);
    if (outcome !== "ok") log.warn({ outcome }, "the key set could not be fetched");
  };
  const judging = createTokenVerifier(config.auth, { clock, onKeySetFetch });
  const verifier = timed(judging, clock, metrics.observeAuth);
  const presence = new Presence({ clock, hub, namespaces }, config.presence);
  const parked = createMemorySessionStore(clock, config.session);
  const typing = createTyping({ clock, hub }, config.typing);
  const deps: SessionDeps = {
    ...shared,
    verifier,
    refusals,
    presence,
    parked,
    live: new LiveSessions(),
    inFlight: new InFlight(),
    rates: limits.session,
    ceilings: {
      perTenant: config.limits.connectionsPerTenant,
      perUser: config.limits.connectionsPerUser,
    },
    secrets: createSessionSecrets(randomBytes(32)),
    actions: new Map([["typing", typing.onAction]]),
    onLeave: [typing.onLeave],
    options: {
      refreshBeforeMs: config.auth.refreshBeforeMs,
      clockSkewMs: config.auth.clockSkewMs,
      subscriptionsMax: config.limits.subscriptionsPerConnection,
      presenceDataMaxBytes: config.presence.dataMaxBytes,
      directAllow: config.direct.allow,
      pingIntervalMs: config.heartbeat.pingIntervalMs,
      idleTimeoutMs: config.heartbeat.idleTimeoutMs,
      frameMaxBytes: config.listen.frameMaxBytes,
    },
  };
  return {
    deps,
    close() {
      refusals.close();
      typing.close();
      presence.close();
      parked.close();
      verifier.close();
    },
  };
}

function apiKeys(config: Config) {
  // The config's schema has checked the tenant's grammar.
  return createApiKeys(config.api.keys.map((key) => ({ ...key, tenant: key.tenant as TenantId })));
}

type Stopping = Shared & {
  readonly listener: Listener;
  readonly connection: ConnectionDeps;
  readonly session: SessionParts;
};

async function empty({ config, clock, log, listener, connection, session }: Stopping) {
  if (config.drain.windowMs === 0) return;
  const { inFlight } = session.deps;
  await drain(
    {
      ...{ clock, log, random: Math.random },
      connections: () => connection.heartbeat.connections(),
      isSettled: (open) =>
        open.outbox.idle && !open.session.isJudged && !inFlight.has(open.session),
      isAnswering: () => listener.pendingRequests > 0,
    },
    config.drain,
  );
}

/** In the reverse order of making. Clients are told why before the sockets go. */
async function stop(parts: Stopping): Promise<void> {
  const { listener, connection, session, broker, metrics, log } = parts;
  for (const open of connection.heartbeat.connections()) open.close("stopping");
  await listener.stop();
  connection.heartbeat.close();
  session.close();
  await broker.close();
  metrics.close();
  log.close();
}
