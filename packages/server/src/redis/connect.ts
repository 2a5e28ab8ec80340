import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { Endpoint, RedisTarget } from "./target.ts";

export type RedisOptionsInForce = {
  readonly commandTimeoutMs: number;
  /** PEM text of the CA for TLS; undefined: those of the system. */
  readonly ca: string | undefined;
};

/** Replies come as they are. */
type LinkOptions = Omit<RedisOptions, "replyMapping">;

export type RedisLink = Redis | Cluster;

/** Redis holds a command that blocks for at most this long. */
export const BLOCK_MAX_MS = 1_000;

/** BullMQ blocks for ten seconds after an error, and gives up a second later. */
const WORKER_BLOCK_MAX_MS = 11_000;

const RETRY_MS = 250;
/** How often a Redis Cluster is asked where its slots are, beside what its redirections tell. */
const SLOTS_REFRESH_MS = 2_000;

/**
 * Opens a connection for commands, which comes back by itself, for ever. Nothing is sent twice and nothing is sent late: what was under way
 * when a connection broke is rejected, since a publish may have happened.
 */
export function connectForCommands(target: RedisTarget, options: RedisOptionsInForce): RedisLink {
  const { commandTimeoutMs } = options;
  const redisOptions: LinkOptions = {
    ...commonOptions(target, options),
    commandTimeout: commandTimeoutMs,
    // A server that answers nothing: another connection may do better.
    socketTimeout: 2 * commandTimeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  };
  if (target.kind !== "cluster") {
    return connectOne(target, {
      ...redisOptions,
      enableOfflineQueue: false,
      enableAutoPipelining: true,
    });
  }
  return new Cluster([...target.endpoints], {
    redisOptions,
    clusterRetryStrategy: () => RETRY_MS,
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    // Else what a broken connection had under way would be sent again.
    retryDelayOnFailover: 0,
  });
}

/** Opens a connection to hear topics by; at `endpoint`, if that is given, in place of where the target says. */
export function connectForTopics(
  target: RedisTarget,
  options: RedisOptionsInForce,
  endpoint?: Endpoint,
): Redis {
  const redisOptions: LinkOptions = {
    ...commonOptions(target, options),
    // Its owner subscribes to all that it wants whenever it is there.
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  };
  if (endpoint !== undefined) return new Redis({ ...redisOptions, ...endpoint });
  return connectOne(target, redisOptions);
}

/** Opens a connection for commands that block. */
export function connectForBlocking(target: RedisTarget, options: RedisOptionsInForce): RedisLink {
  return connectAny(target, {
    ...commonOptions(target, options),
    commandTimeout: BLOCK_MAX_MS + options.commandTimeoutMs,
    maxRetriesPerRequest: 1,
  });
}

/** Opens a connection that hears what others publish, in topics that are not of a slot. */
export function connectForListening(target: RedisTarget, options: RedisOptionsInForce): RedisLink {
  return connectAny(target, {
    ...commonOptions(target, options),
    maxRetriesPerRequest: null,
    autoResubscribe: true,
  });
}

/**
 * Opens a connection for who works in the background: what it asks for waits until the connection is there. Copies of it may block, and BullMQ gives up itself what blocked for too long: were
 * we before it, it would take each such wait for an error, wait again, and ask for nothing any more.
 */
export function connectForWorking(target: RedisTarget, options: RedisOptionsInForce): RedisLink {
  return connectAny(target, {
    ...commonOptions(target, options),
    commandTimeout: WORKER_BLOCK_MAX_MS + options.commandTimeoutMs,
    maxRetriesPerRequest: null,
  });
}

function connectAny(target: RedisTarget, options: LinkOptions): RedisLink {
  if (target.kind !== "cluster") return connectOne(target, options);
  return new Cluster([...target.endpoints], {
    redisOptions: options,
    clusterRetryStrategy: () => RETRY_MS,
  });
}

function commonOptions(
  target: RedisTarget,
  { commandTimeoutMs, ca }: RedisOptionsInForce,
): LinkOptions {
  return {
    ...(target.username !== undefined && { username: target.username }),
    ...(target.password !== undefined && { password: target.password }),
    db: target.database,
    ...(target.tls && { tls: ca === undefined ? {} : { ca } }),
    retryStrategy: () => RETRY_MS,
    // A master that became a replica: its successor is asked for.
    reconnectOnError: ({ message }) => message.startsWith("READONLY"),
    connectTimeout: 2 * commandTimeoutMs,
  };
}

function connectOne(target: RedisTarget, options: LinkOptions): Redis {
  const [first] = target.endpoints;
  if (target.kind === "sentinel") {
    return new Redis({
      ...options,
      sentinels: [...target.endpoints],
      name: target.group,
      sentinelRetryStrategy: () => RETRY_MS,
      ...(options.tls !== undefined && {
        enableTLSForSentinelMode: true,
        sentinelTLS: options.tls,
      }),
    });
  }
  return new Redis({ ...options, host: first?.host ?? "127.0.0.1", port: first?.port ?? 6379 });
}
