import { Cluster, Redis } from "ioredis";
import type { RedisTarget } from "./target.ts";

export type RedisOptionsInForce = {
  readonly commandTimeoutMs: number;
  /** PEM text of the CA for TLS; undefined: those of the system. */
  readonly ca: string | undefined;
};

export type RedisLink = Redis | Cluster;

/**
 * What a connection is for: commands fail fast, what blocks has its own time, subscriptions wait for as long as it takes: `subscribe`
 * to the gateways' own topics, sharded on a Redis Cluster, `listen` to what others publish.
 */
export type Purpose = "commands" | "block" | "subscribe" | "listen";

/** Redis holds a command that blocks for at most this long. */
export const BLOCK_MAX_MS = 1_000;

const RETRY_MS = 250;

/**
 * Opens a connection that comes back by itself, for ever. Commands that cannot be sent or answered in time are rejected: nothing that its caller
 * has given up is kept to be sent later.
 */
export function connectRedis(
  target: RedisTarget,
  purpose: Purpose,
  { commandTimeoutMs, ca }: RedisOptionsInForce,
): RedisLink {
  const options = {
    ...(target.username !== undefined && { username: target.username }),
    ...(target.password !== undefined && { password: target.password }),
    db: target.database,
    ...(target.tls && { tls: ca === undefined ? {} : { ca } }),
    retryStrategy: () => RETRY_MS,
    connectTimeout: 2 * commandTimeoutMs,
    ...commandOptions(purpose, commandTimeoutMs),
  };
  const [first] = target.endpoints;
  if (target.kind === "cluster") {
    return new Cluster([...target.endpoints], {
      redisOptions: options,
      clusterRetryStrategy: () => RETRY_MS,
      shardedSubscribers: purpose === "subscribe",
    });
  }
  if (target.kind === "sentinel") {
    return new Redis({
      ...options,
      sentinels: [...target.endpoints],
      name: target.group,
      sentinelRetryStrategy: () => RETRY_MS,
    });
  }
  return new Redis({ ...options, host: first?.host ?? "127.0.0.1", port: first?.port ?? 6379 });
}

function commandOptions(purpose: Purpose, commandTimeoutMs: number) {
  switch (purpose) {
    case "commands":
      return {
        commandTimeout: commandTimeoutMs,
        maxRetriesPerRequest: 1,
        enableAutoPipelining: true,
      };
    case "block":
      return { commandTimeout: BLOCK_MAX_MS + commandTimeoutMs, maxRetriesPerRequest: 1 };
    case "subscribe":
    case "listen":
      return { maxRetriesPerRequest: null, autoResubscribe: true };
    default:
      return purpose satisfies never;
  }
}
