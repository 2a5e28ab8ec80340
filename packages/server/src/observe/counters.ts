import { JOB_QUEUES } from "../jobs/jobs.ts";
import { QUOTA_NAMES } from "../tenant/tenants.ts";
import { createTenantTallies, type TenantTallies } from "./tenant-tallies.ts";

/**
 * What a gateway counts, as plain numbers: `n++` costs nothing on the hot path. They only ever go up; gauges are asked of
 * the parts themselves. Each has its Prometheus metric in `metrics/counter-metrics.ts`, which does not compile until a new
 * one is named there, and its row in docs/reference/metrics.md.
 */
export type Counters = {
  connectionsOpened: number;
  connectionsClosed: number;
  /** Closed connections by why, see `connection/close-label.ts`. */
  connectionsClosedBy: CountsByLabel;
  /** Upgrades that were answered with an error, by cause. */
  upgradesRefused: CountsByLabel;
  /** Frames from clients. */
  framesReceived: number;
  bytesReceived: number;
  /** Frames handed to sockets. */
  framesSent: number;
  bytesSent: number;
  /** Answered with an error, by its code. */
  commandsRefused: CountsByLabel;
  /** Connections that were closed because too much waited for them. */
  slowConsumers: number;
  /** Frames left out by the policies `drop-oldest` and `latest` because too much waited. */
  framesDropped: number;
  /** Frames left out by the policy `latest` because a later one of their key came. */
  framesConflated: number;
  /** Subscriptions that stopped by the policy `catch-up`, to go on from the history. */
  catchUps: number;
  publications: number;
  /** Publications times the subscribers of this node that they were handed to. */
  deliveries: number;
  sessionsParked: number;
  sessionsResumed: number;
  /** Sessions that were resumed here and had been on another node, by where they came from. */
  sessionsBroughtIn: CountsByLabel;
  /** Sessions of this node that went on with another one. */
  sessionsHandedOver: number;
  /** Connections that were closed because their session had gone on elsewhere without this node. */
  sessionsStale: number;
  /** Records of sessions written to Redis or removed there, and those that could not be. */
  sessionRecordsWritten: number;
  sessionRecordsFailed: number;
  tokensRefused: CountsByLabel;
  /** Fetches of the provider's key set, by outcome. */
  keySetFetches: CountsByLabel;
  /** Calls of the HTTP API without a valid key. */
  apiKeysRefused: number;
  faults: number;
  /** What the store was asked and answered, by `read` and `write`. */
  storeCalls: CountsByLabel;
  /** What it did not, as it was away, late, or had too much waiting. */
  storeUnavailable: CountsByLabel;
  /** Of these: refused at once, since too much waits for it. */
  storeOverflows: number;
  /** Turns of work that this process has done, and those that failed, by queue. */
  jobsDone: CountsByLabel;
  jobsFailed: CountsByLabel;
  /** Keys that this process has taken from a dead one. */
  jobsTakenOver: number;
  /** Refused at once, since too much of the same tenant's waits. */
  storeOverShares: number;
  /** What plugins count, by plugin and event. */
  pluginEvents: CountsByPair;
  /** What plugins broke or were too slow for, by plugin and where. */
  pluginFaults: CountsByPair;
  /** What plugins show of themselves when somebody scrapes, by plugin and name. */
  readonly pluginGauges: Map<string, Map<string, () => number>>;
  /** Requests to servers that tenants and users name, by who asked and how it ended. */
  outboundRequests: CountsByPair;
  /** Some of it again by tenant, for at most `metrics.tenantsMax` of them. */
  readonly byTenant: TenantTallies;
  /** Connections that were let in, and closed since their user or tenant has too many over all nodes, by whose ceiling it was. */
  sessionsOverCeiling: CountsByLabel;
  /** Batches of connection counts and rates that Redis did not take. */
  sharedLimitsFailed: number;
  /** Let in by their token, and turned back as their user or tenant has as many connections as it may. */
  sessionsRefused: CountsByLabel;
  /** Answered with `rate_limited`, by which rate it was. */
  rateLimited: CountsByLabel;
  /** Refused for a quota of their tenant, by which quota. */
  quotaRefusals: CountsByLabel;
  /** Answers `rate_limited` that were held back, and those for which there was no room. */
  refusalsDelayed: number;
  refusalsNotDelayed: number;
  /** Rounds of writing usage down that the store did not take, to be tried again. */
  usageWritesFailed: number;
  /** Rows of a day that the store was not there to take in time. */
  usageRowsLost: number;
  /** Times that a tenant found no room to be counted and held to its quotas. */
  tenantsUncounted: number;
  /** Deleted tenants whose ids were forgotten for lack of room, so that tokens may name them again. */
  tenantsForgotten: number;
  /** Addresses, users and channels whose rate was forgotten before its time, for lack of room. */
  bucketsForgotten: number;
  /** Commands that a Redis refused or did not answer in time. */
  redisCommandsFailed: number;
  /** Connections to hear topics by that were subscribed anew, for whatever reason. */
  redisTopicLinesRebuilt: number;
  /** Those of them that were open and brought nothing. */
  redisDeafConnections: number;
  /** Publishes that were answered before this node had seen the publication itself. */
  publicationsUnseen: number;
  /** Channels that started anew under another epoch because a server had lost their latest publications. */
  epochsRenewed: number;
  /** Messages of a kind that this version does not know. */
  brokerMessagesUnknown: number;
  /** Times that a Redis could not be told or asked about the nodes. */
  heartbeatsFailed: number;
  /** Nodes that this one has declared dead. */
  nodesReaped: number;
  /** Messages to other nodes, answers among them. */
  busMessagesSent: number;
  busMessagesReceived: number;
  /** Requests that another node did not answer in time. */
  busRequestsTimedOut: number;
  /** Messages between nodes that were passed over, or not sent, by why. */
  busIgnored: CountsByLabel;
  /** Batches of presence rows that Redis has taken, and those that failed or whose answer did not come. */
  presenceBatches: number;
  presenceBatchesFailed: number;
  presenceRowsWritten: number;
  /** Rows of nodes that are gone, and of former lives of this one, that this node has removed. */
  presenceRowsRemoved: number;
  /** Redis had lost rows of this node, so that it wrote all of a partition anew. */
  presenceRebuilds: number;
  /** Changes of presence that the cluster told this node, a channel's batch each. */
  presenceSignals: number;
  /** Those that this version cannot read. */
  presenceSignalsIgnored: number;
  /** Clients that were told to go to another node. */
  clientsToldToMove: number;
  /** What backends gave to Redis to be published, by the way on which it came. */
  ingestReceived: CountsByLabel;
  /** Of it what was published, and what was there already. */
  ingestPublished: CountsByLabel;
  /** Refusals of it, by their code; those that may pass are tried again, and count again. */
  ingestRefused: CountsByLabel;
  /** Entries that became dead letters, by why. */
  ingestDead: CountsByLabel;
  /** Entries taken over from a node that left them. */
  ingestClaimed: number;
  /** Channels that something was missing in on this node, or that may have had a new epoch. */
  gapsFound: number;
  /** Of these: what was missing was fetched, or came, or nothing was. */
  gapsHealed: number;
  /** Of these: it could not be had, and the subscribers were told (CH4). */
  gapsLost: number;
  /** Publications that a broker delivered again. */
  duplicatesDropped: number;
  /** Publications that came before an earlier one and found no room to wait. */
  publicationsNotHeld: number;
  /** Channels whose position was compared with the broker's. */
  positionsChecked: number;
};

/** Counts by the value of one label. Whoever counts takes care that the values are a fixed few, never input. */
export type CountsByLabel = Record<string, number>;

/** Counts by two labels: bounded as those of one are. */
export type CountsByPair = Map<string, CountsByLabel>;

export function createCounters(byTenant = createTenantTallies({ max: 0, first: [] })): Counters {
  return {
    connectionsOpened: 0,
    connectionsClosed: 0,
    connectionsClosedBy: countsByLabel(),
    upgradesRefused: countsByLabel(),
    framesReceived: 0,
    bytesReceived: 0,
    framesSent: 0,
    bytesSent: 0,
    commandsRefused: countsByLabel(),
    slowConsumers: 0,
    framesDropped: 0,
    framesConflated: 0,
    catchUps: 0,
    publications: 0,
    deliveries: 0,
    sessionsParked: 0,
    sessionsResumed: 0,
    sessionsBroughtIn: countsByLabel(),
    sessionsHandedOver: 0,
    sessionsStale: 0,
    sessionRecordsWritten: 0,
    sessionRecordsFailed: 0,
    tokensRefused: countsByLabel(),
    keySetFetches: countsByLabel(),
    apiKeysRefused: 0,
    faults: 0,
    ...recordCounters(),
    byTenant,
    sessionsOverCeiling: countsByLabel(),
    sharedLimitsFailed: 0,
    sessionsRefused: countsByLabel(),
    rateLimited: countsByLabel(),
    ...boundCounters(),
    ...redisCounters(),
    heartbeatsFailed: 0,
    nodesReaped: 0,
    busMessagesSent: 0,
    busMessagesReceived: 0,
    busRequestsTimedOut: 0,
    busIgnored: countsByLabel(),
    presenceBatches: 0,
    presenceBatchesFailed: 0,
    presenceRowsWritten: 0,
    presenceRowsRemoved: 0,
    presenceRebuilds: 0,
    presenceSignals: 0,
    presenceSignalsIgnored: 0,
    clientsToldToMove: 0,
    ingestReceived: countsByLabel(),
    ingestPublished: countsByLabel(),
    ingestRefused: countsByLabel(),
    ingestDead: countsByLabel(),
    ingestClaimed: 0,
    gapsFound: 0,
    gapsHealed: 0,
    gapsLost: 0,
    duplicatesDropped: 0,
    publicationsNotHeld: 0,
    positionsChecked: 0,
  };
}

function boundCounters() {
  const quotaRefusals = countsByLabel();
  for (const quota of QUOTA_NAMES) quotaRefusals[quota] = 0;
  const usage = { usageWritesFailed: 0, usageRowsLost: 0 };
  const late = { refusalsDelayed: 0, refusalsNotDelayed: 0 };
  const tenants = { tenantsUncounted: 0, tenantsForgotten: 0 };
  return { quotaRefusals, ...late, ...usage, ...tenants, bucketsForgotten: 0 };
}

function recordCounters() {
  const both = () => Object.assign(countsByLabel(), { read: 0, write: 0 });
  const store = {
    storeCalls: both(),
    storeUnavailable: both(),
    storeOverflows: 0,
    storeOverShares: 0,
  };
  return { ...store, ...jobCounters(), ...pluginCounters() };
}

function jobCounters(): Pick<Counters, "jobsDone" | "jobsFailed" | "jobsTakenOver"> {
  const queues = () => {
    const counts = countsByLabel();
    for (const queue of JOB_QUEUES) counts[queue] = 0;
    return counts;
  };
  return { jobsDone: queues(), jobsFailed: queues(), jobsTakenOver: 0 };
}

function pluginCounters(): Pick<
  Counters,
  "pluginEvents" | "pluginFaults" | "pluginGauges" | "outboundRequests"
> {
  return {
    pluginEvents: new Map(),
    pluginFaults: new Map(),
    pluginGauges: new Map(),
    outboundRequests: new Map(),
  };
}

function redisCounters() {
  return {
    redisCommandsFailed: 0,
    redisTopicLinesRebuilt: 0,
    redisDeafConnections: 0,
    publicationsUnseen: 0,
    epochsRenewed: 0,
    brokerMessagesUnknown: 0,
  };
}

function countsByLabel(): CountsByLabel {
  return Object.create(null) as CountsByLabel;
}

/** One more under `label`. */
export function countOne(counts: CountsByLabel, label: string): void {
  counts[label] = (counts[label] ?? 0) + 1;
}

const SECOND_LABELS_MAX = 100;
/** What those beyond that are counted as. */
const OTHER = "(other)";

/** So many more under two labels. Of the second there are at most {@link SECOND_LABELS_MAX} for each first; those beyond are counted together. */
export function countPair(counts: CountsByPair, first: string, second: string, by = 1): void {
  let inner = counts.get(first);
  if (inner === undefined) {
    inner = countsByLabel();
    counts.set(first, inner);
  }
  const known = second in inner || Object.keys(inner).length < SECOND_LABELS_MAX;
  const label = known ? second : OTHER;
  inner[label] = (inner[label] ?? 0) + by;
}
