import type { Counters } from "../counters.ts";

/** How a counter is published. `label` names the label of those that are counted by cause. */
export type CounterMetric = {
  readonly name: `aldis_${string}_total`;
  readonly help: string;
  readonly label?: string;
  /** Of those that are counted by two. */
  readonly labels?: readonly [string, string];
};

/**
 * The Prometheus metric of each counter; "elsewhere": it is in another metric already. Exhaustive by type: a counter that is
 * not named here is a type error. docs/reference/metrics.md says what to do about each, and a test compares it.
 */
export const COUNTER_METRICS = {
  connectionsOpened: {
    name: "aldis_connections_opened_total",
    help: "WebSocket connections accepted",
  },
  connectionsClosed: "elsewhere",
  connectionsClosedBy: {
    name: "aldis_connections_closed_total",
    help: "WebSocket connections that ended, by why",
    label: "cause",
  },
  upgradesRefused: {
    name: "aldis_upgrades_refused_total",
    help: "WebSocket upgrades answered with an error, by why",
    label: "cause",
  },
  framesReceived: { name: "aldis_frames_received_total", help: "Frames from clients" },
  bytesReceived: {
    name: "aldis_received_bytes_total",
    help: "Bytes of messages from clients, before compression",
  },
  framesSent: { name: "aldis_frames_sent_total", help: "Frames handed to sockets" },
  bytesSent: {
    name: "aldis_sent_bytes_total",
    help: "Bytes of frames handed to sockets, before compression",
  },
  commandsRefused: {
    name: "aldis_commands_refused_total",
    help: "Commands answered with an error, by its code",
    label: "code",
  },
  slowConsumers: {
    name: "aldis_slow_consumers_total",
    help: "Connections closed because they read too slowly",
  },
  framesDropped: {
    name: "aldis_frames_dropped_total",
    help: "Frames left out for slow consumers because too much waited",
  },
  framesConflated: {
    name: "aldis_frames_conflated_total",
    help: "Frames left out for slow consumers because a later one of their key came",
  },
  catchUps: {
    name: "aldis_catch_ups_total",
    help: "Subscriptions of slow consumers that stopped, to go on from the history",
  },
  publications: {
    name: "aldis_publications_total",
    help: "Publishes accepted, by clients and API",
  },
  deliveries: {
    name: "aldis_deliveries_total",
    help: "Publications times the subscribers that they were handed to",
  },
  sessionsParked: {
    name: "aldis_sessions_parked_total",
    help: "Sessions kept for resuming because their connection broke",
  },
  sessionsResumed: { name: "aldis_sessions_resumed_total", help: "Sessions that were resumed" },
  sessionsBroughtIn: {
    name: "aldis_sessions_brought_in_total",
    help: "Sessions resumed here that had been on another node, by where they came from",
    label: "source",
  },
  sessionsHandedOver: {
    name: "aldis_sessions_handed_over_total",
    help: "Sessions of this node that went on with another one",
  },
  sessionsStale: {
    name: "aldis_sessions_stale_total",
    help: "Connections closed because their session had gone on elsewhere unnoticed",
  },
  sessionRecordsWritten: {
    name: "aldis_session_records_written_total",
    help: "Records of sessions written to Redis, or removed there",
  },
  sessionRecordsFailed: {
    name: "aldis_session_records_failed_total",
    help: "Records of sessions that Redis did not take, to be tried again",
  },
  tokensRefused: {
    name: "aldis_tokens_refused_total",
    help: "Connections and refreshes turned away, by why",
    label: "cause",
  },
  keySetFetches: {
    name: "aldis_key_set_fetches_total",
    help: "Fetches of the identity provider's key set, by outcome",
    label: "outcome",
  },
  apiKeysRefused: {
    name: "aldis_api_keys_refused_total",
    help: "HTTP API calls without a valid key",
  },
  sessionsRefused: {
    name: "aldis_sessions_refused_total",
    help: "Connections turned back for a ceiling, by whose it was",
    label: "ceiling",
  },
  sessionsOverCeiling: {
    name: "aldis_sessions_over_ceiling_total",
    help: "Connections closed for a ceiling over all nodes, by whose it was",
    label: "ceiling",
  },
  sharedLimitsFailed: {
    name: "aldis_shared_limits_failed_total",
    help: "Batches of connection counts and rates that Redis did not take",
  },
  rateLimited: {
    name: "aldis_rate_limited_total",
    help: "Refusals with `rate_limited`, by which rate it was",
    label: "rate",
  },
  quotaRefusals: {
    name: "aldis_quota_refusals_total",
    help: "Refused for a quota of the tenant, by which quota",
    label: "quota",
  },
  refusalsDelayed: {
    name: "aldis_refusals_delayed_total",
    help: "Refusals that tenants with too many of them were told later",
  },
  refusalsNotDelayed: {
    name: "aldis_refusals_not_delayed_total",
    help: "Refusals that were told at once as tenants.refusals.heldMax others waited",
  },
  usageWritesFailed: {
    name: "aldis_usage_writes_failed_total",
    help: "Rounds of writing usage down that the store did not take, to be tried again",
  },
  usageRowsLost: {
    name: "aldis_usage_rows_lost_total",
    help: "Rows of a tenant's usage of a day that the store was not there to take in time",
  },
  tenantsUncounted: {
    name: "aldis_tenants_uncounted_total",
    help: "Times that a tenant found no room to be counted and held to its quotas",
  },
  tenantsForgotten: {
    name: "aldis_tenants_forgotten_total",
    help: "Deleted tenants whose ids were forgotten for lack of room",
  },
  bucketsForgotten: {
    name: "aldis_rate_buckets_forgotten_total",
    help: "Addresses, users and channels whose rate was forgotten for lack of room",
  },
  redisCommandsFailed: {
    name: "aldis_redis_commands_failed_total",
    help: "Commands that a Redis refused or did not answer in time",
  },
  redisTopicLinesRebuilt: {
    name: "aldis_redis_topic_lines_rebuilt_total",
    help: "Times that all topics of a connection were subscribed to anew",
  },
  redisDeafConnections: {
    name: "aldis_redis_deaf_connections_total",
    help: "Connections to Redis that were open and brought nothing, and were replaced",
  },
  publicationsUnseen: {
    name: "aldis_publications_unseen_total",
    help: "Publishes that were answered before this node had seen them come back",
  },
  epochsRenewed: {
    name: "aldis_epochs_renewed_total",
    help: "Channels that started anew because a Redis had lost what this node knew of them",
  },
  brokerMessagesUnknown: {
    name: "aldis_broker_messages_unknown_total",
    help: "Messages between nodes of a kind that this version does not know",
  },
  heartbeatsFailed: {
    name: "aldis_heartbeats_failed_total",
    help: "Times that a Redis could not be told or asked about the nodes",
  },
  nodesReaped: {
    name: "aldis_nodes_reaped_total",
    help: "Nodes that this one has declared dead",
  },
  busMessagesSent: {
    name: "aldis_bus_messages_sent_total",
    help: "Messages to other nodes, answers among them",
  },
  busMessagesReceived: {
    name: "aldis_bus_messages_received_total",
    help: "Messages of other nodes",
  },
  busRequestsTimedOut: {
    name: "aldis_bus_requests_timed_out_total",
    help: "Requests that another node did not answer in time",
  },
  busIgnored: {
    name: "aldis_bus_ignored_total",
    help: "Messages between nodes that were passed over, or not sent, by why",
    label: "cause",
  },
  presenceBatches: {
    name: "aldis_presence_batches_total",
    help: "Batches of presence that Redis has taken",
  },
  presenceBatchesFailed: {
    name: "aldis_presence_batches_failed_total",
    help: "Batches of presence that Redis did not take, or not answer; they are tried again",
  },
  presenceRowsWritten: {
    name: "aldis_presence_rows_written_total",
    help: "Users of a channel whose presence was written to Redis",
  },
  presenceRowsRemoved: {
    name: "aldis_presence_rows_removed_total",
    help: "Users of a channel who were removed for a node that is gone",
  },
  presenceRebuilds: {
    name: "aldis_presence_rebuilds_total",
    help: "Times that Redis had lost this node's presence and was told it anew",
  },
  presenceSignals: {
    name: "aldis_presence_signals_total",
    help: "Changes of presence heard from the cluster",
  },
  presenceSignalsIgnored: {
    name: "aldis_presence_signals_ignored_total",
    help: "Changes of presence that this version cannot read",
  },
  clientsToldToMove: {
    name: "aldis_clients_told_to_move_total",
    help: "Clients told to connect anew elsewhere",
  },
  ingestReceived: {
    name: "aldis_ingest_received_total",
    help: "What backends published through Redis, by way",
    label: "way",
  },
  ingestPublished: {
    name: "aldis_ingest_published_total",
    help: "Publishes through Redis that the broker acknowledged, by outcome",
    label: "outcome",
  },
  ingestRefused: {
    name: "aldis_ingest_refused_total",
    help: "Attempts to publish through Redis that were refused, by why",
    label: "cause",
  },
  ingestDead: {
    name: "aldis_ingest_dead_total",
    help: "Entries of the ingest stream that became dead letters, by why",
    label: "cause",
  },
  ingestClaimed: {
    name: "aldis_ingest_claimed_total",
    help: "Entries of the ingest stream taken over from a node that left them",
  },
  gapsFound: {
    name: "aldis_channel_gaps_total",
    help: "Channels that something was missing in on this node, or may have been",
  },
  gapsHealed: {
    name: "aldis_channel_gaps_healed_total",
    help: "Of these: all was fetched from the history, or came by itself",
  },
  gapsLost: {
    name: "aldis_channel_gaps_lost_total",
    help: "Of these: something could not be had, and the subscribers were told",
  },
  duplicatesDropped: {
    name: "aldis_duplicates_dropped_total",
    help: "Publications that the broker delivered again",
  },
  publicationsNotHeld: {
    name: "aldis_publications_not_held_total",
    help: "Publications before an earlier one that found no room to wait",
  },
  positionsChecked: {
    name: "aldis_positions_checked_total",
    help: "Comparisons of a channel's position with the broker's",
  },
  storeCalls: {
    name: "aldis_store_calls_total",
    help: "Reads and writes that the store has answered",
    label: "call",
  },
  storeUnavailable: {
    name: "aldis_store_unavailable_total",
    help: "Reads and writes that the store did not answer, or not in time",
    label: "call",
  },
  storeOverflows: {
    name: "aldis_store_overflows_total",
    help: "Reads and writes that were refused at once, as too much waits for the store",
  },
  storeOverShares: {
    name: "aldis_store_over_shares_total",
    help: "Requests to the store refused at once, as too much of the same tenant waits",
  },
  jobsDone: {
    name: "aldis_jobs_done_total",
    help: "Turns of background work that ended without an error, by queue",
    label: "queue",
  },
  jobsFailed: {
    name: "aldis_jobs_failed_total",
    help: "Turns of background work that failed and are tried again, by queue",
    label: "queue",
  },
  jobsTakenOver: {
    name: "aldis_jobs_taken_over_total",
    help: "Keys of background work that were taken from a process that was dead",
  },
  pluginGauges: "elsewhere",
  pluginEvents: {
    name: "aldis_plugin_events_total",
    help: "What plugins count, by plugin and event",
    labels: ["plugin", "event"],
  },
  pluginFaults: {
    name: "aldis_plugin_faults_total",
    help: "What plugins threw or were too slow for, by plugin and where",
    labels: ["plugin", "where"],
  },
  outboundRequests: {
    name: "aldis_outbound_requests_total",
    help: "Requests to servers that tenants and users name, by who asked and how it ended",
    labels: ["purpose", "outcome"],
  },
  faults: { name: "aldis_faults_total", help: "Faults of the gateway itself; each is logged" },
  byTenant: "elsewhere",
} as const satisfies Record<keyof Counters, CounterMetric | "elsewhere">;
