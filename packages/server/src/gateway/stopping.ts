import type { ConnectionDeps } from "../connection/connection-deps.ts";
import type { Ingest } from "../ingest/ingest.ts";
import type { Listener } from "../listen/server.ts";
import type { NamespaceChanges } from "../reach/namespace-changes.ts";
import type { SessionParts } from "./session-parts.ts";
import type { Shared } from "./shared-parts.ts";
import type { UsagePart } from "./usage-part.ts";

export type Stopping = Shared & {
  readonly listener: Listener;
  readonly connection: ConnectionDeps;
  readonly session: SessionParts;
  readonly ingest: Ingest | undefined;
  readonly changes: NamespaceChanges;
  readonly usage: UsagePart;
};

/** In the reverse order of making. Clients are told why before the sockets go. */
export async function stop(parts: Stopping): Promise<void> {
  const { listener, connection, session, ingest, hub, brokerPart, cluster, shards } = parts;
  const { secret, outbound, metrics, log } = parts;
  const handedOver = ingest?.close();
  parts.late.close();
  for (const open of connection.heartbeat.connections()) open.close("stopping");
  await listener.stop();
  connection.heartbeat.close();
  parts.changes.close();
  // What plugins do in them ends before the plugins do.
  await parts.jobs.close();
  await session.close();
  outbound.close();
  await handedOver;
  await parts.usage.close();
  hub.close();
  await cluster.close();
  await brokerPart.close();
  secret.close();
  await shards?.close();
  await parts.tenancy.kept?.close();
  // Whatever was acknowledged is in it; nothing is left that would ask it.
  await parts.store?.close();
  metrics.close();
  log.close();
}
