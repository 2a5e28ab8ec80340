/** What is asked of the parts of the gateway when somebody scrapes. All are cheap: a size, or one walk over the connections. */
export type Gauges = {
  connections: number;
  /** Those of them that speak MessagePack. */
  messagePackConnections: number;
  sessions: number;
  parkedSessions: number;
  /** Connections whose peer takes nothing at the moment. */
  blockedConnections: number;
  outboxBytes: number;
  outboxMaxBytes: number;
  channels: number;
  streams: number;
  historyBytes: number;
  presenceMembers: number;
  /** Nodes that live, this one too. */
  clusterNodes: number;
  /** Shards whose ingest this node takes; the next three are of those alone. */
  ingestShardsLed: number;
  ingestLag: number;
  ingestPending: number;
  ingestDeadLetters: number;
  heldBytes: number;
  /** Reads and writes that the store has not answered yet. */
  storeWaiting: number;
  /** Requests to servers that tenants and users name that have no answer yet. */
  outboundWaiting: number;
  /** 1 while it takes connections. */
  ready: number;
};

export type GaugeMetric = { readonly name: `aldis_${string}`; readonly help: string };

/** The Prometheus metric of each gauge, exhaustive by type. */
export const GAUGE_METRICS = {
  connections: { name: "aldis_connections", help: "Open WebSocket connections" },
  messagePackConnections: {
    name: "aldis_messagepack_connections",
    help: "Open WebSocket connections that speak MessagePack",
  },
  sessions: { name: "aldis_sessions", help: "Connections that have shown who they are" },
  parkedSessions: {
    name: "aldis_parked_sessions",
    help: "Sessions without a connection that may be resumed",
  },
  blockedConnections: {
    name: "aldis_blocked_connections",
    help: "Connections whose peer takes nothing at the moment",
  },
  outboxBytes: {
    name: "aldis_outbox_bytes",
    help: "Bytes that wait for slow connections, all together",
  },
  outboxMaxBytes: {
    name: "aldis_outbox_largest_bytes",
    help: "Bytes that wait for the slowest connection",
  },
  channels: { name: "aldis_channels", help: "Channels with subscribers" },
  streams: { name: "aldis_streams", help: "Channels whose position or history is remembered" },
  historyBytes: { name: "aldis_history_bytes", help: "Bytes of all histories" },
  presenceMembers: {
    name: "aldis_presence_members",
    help: "Users present by connections to this node, each once for each channel",
  },
  clusterNodes: {
    name: "aldis_cluster_nodes",
    help: "Nodes of the cluster that live, this one too",
  },
  ingestShardsLed: {
    name: "aldis_ingest_shards_led",
    help: "Shards whose ingest this node takes",
  },
  ingestLag: {
    name: "aldis_ingest_lag",
    help: "Entries of the ingest stream that nobody has read, told by the node that takes it",
  },
  ingestPending: {
    name: "aldis_ingest_pending",
    help: "Entries of the ingest stream that were read and are not done with",
  },
  ingestDeadLetters: { name: "aldis_ingest_dead_letters", help: "Dead letters that are kept" },
  heldBytes: {
    name: "aldis_held_bytes",
    help: "Bytes of publications that wait for an earlier one",
  },
  storeWaiting: {
    name: "aldis_store_waiting",
    help: "Reads and writes that the store has not answered yet",
  },
  outboundWaiting: {
    name: "aldis_outbound_waiting",
    help: "Requests to servers that tenants and users name that have no answer yet",
  },
  ready: { name: "aldis_ready", help: "1 while the gateway takes connections, else 0" },
} as const satisfies Record<keyof Gauges, GaugeMetric>;
