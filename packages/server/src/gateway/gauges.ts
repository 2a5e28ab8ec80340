// What the metrics ask the parts of a gateway.
import type { NodeRegistry } from "../cluster/node-registry.ts";
import type { ConnectionDeps } from "../connection/connection-deps.ts";
import type { Hub } from "../hub/hub.ts";
import type { Ingest } from "../ingest/ingest.ts";
import type { Gauges } from "../observe/metrics/gauge-metrics.ts";
import type { SessionDeps } from "../session/session-deps.ts";

export type GaugeSources = {
  readonly broker: { readonly streamCount: number; readonly historyBytes: number };
  readonly hub: Hub;
  readonly registry: NodeRegistry;
  readonly connection: ConnectionDeps;
  readonly session: SessionDeps;
  readonly ingest: () => Ingest | undefined;
  readonly store: { readonly waiting: number } | undefined;
  readonly outbound: { readonly waiting: number };
  readonly isReady: () => boolean;
};

/** One walk over the connections, and sizes. */
export function gaugesOf(sources: GaugeSources): Gauges {
  const { broker, hub, registry, connection, session, isReady } = sources;
  const backlog = sources.ingest()?.backlog;
  return {
    ...waitingOf(connection),
    sessions: session.live.size,
    parkedSessions: session.parked.size,
    channels: hub.channelCount,
    heldBytes: hub.heldBytes,
    streams: broker.streamCount,
    historyBytes: broker.historyBytes,
    presenceMembers: session.presence.memberCount,
    clusterNodes: registry.nodes().length,
    ingestShardsLed: backlog?.shardsLed ?? 0,
    ingestLag: backlog?.lag ?? 0,
    ingestPending: backlog?.pending ?? 0,
    ingestDeadLetters: backlog?.deadLetters ?? 0,
    storeWaiting: sources.store?.waiting ?? 0,
    outboundWaiting: sources.outbound.waiting,
    ready: isReady() ? 1 : 0,
  };
}

type Waiting = Pick<
  Gauges,
  "connections" | "messagePackConnections" | "blockedConnections" | "outboxBytes" | "outboxMaxBytes"
>;

function waitingOf({ heartbeat }: ConnectionDeps): Waiting {
  const open = heartbeat.connections();
  let messagePackConnections = 0;
  let blockedConnections = 0;
  let outboxBytes = 0;
  let outboxMaxBytes = 0;
  for (const { outbox, codec } of open) {
    if (codec.name === "msgpack") messagePackConnections++;
    if (outbox.blocked) blockedConnections++;
    outboxBytes += outbox.queuedBytes;
    outboxMaxBytes = Math.max(outboxMaxBytes, outbox.queuedBytes);
  }
  return {
    connections: open.length,
    messagePackConnections,
    blockedConnections,
    outboxBytes,
    outboxMaxBytes,
  };
}
