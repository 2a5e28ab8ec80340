import type { ConfigInput } from "@aldis/server";
import type { ClusterFaultOptions } from "@aldis/testkit";

/** A cluster and clients whose leases and patience are short: what takes seconds in production takes tenths here, and means the same. */
export const FAST: ConfigInput = {
  cluster: { heartbeatMs: 100, leaseMs: 1_500, requestTimeoutMs: 500 },
  redis: { commandTimeoutMs: 500 },
  heartbeat: { pingIntervalMs: 500, idleTimeoutMs: 4_000 },
  channel: { positionCheckMs: 1_000 },
  presence: { graceMs: 300 },
  drain: { windowMs: 500, graceMs: 500 },
};

export const FAST_CLIENTS = { sdk: { pingTimeoutMs: 1_000, connectTimeoutMs: 2_000 } };

/** What most faults are done to. */
export const FAST_RUN: Omit<ClusterFaultOptions, "redis"> = {
  config: FAST,
  ...FAST_CLIENTS,
};

/** For faults that leave Redis well: a command that takes long there is one of a busy machine, and no outage. */
export const REDIS_IS_WELL: typeof FAST_RUN = {
  ...FAST_RUN,
  config: { ...FAST, redis: { commandTimeoutMs: 5_000 } },
};
