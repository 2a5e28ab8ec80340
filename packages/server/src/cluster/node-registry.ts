import type { Awaitable } from "../awaitable.ts";

/**
 * Names one life of one process: `<name>-<boot>`. A process that is started again is another node, so that nothing of its former life is taken
 * for its own.
 */
export type NodeId = string;

/** `worker`: it works queues of background work and takes no clients. `gateway`: it takes clients and works none. `all`: both. */
export const NODE_ROLES = ["all", "gateway", "worker"] as const;
export type NodeRole = (typeof NODE_ROLES)[number];

/** What a node tells of itself with every heartbeat. */
export type NodeLoad = {
  readonly connections: number;
  /** How many connections it takes at most. */
  readonly capacity: number;
  /** How many it lets in a second without falling behind. */
  readonly admitPerSecond: number;
  /** How late its loop came round lately. */
  readonly loopLagMs: number;
};

/** A node that lives, as it was seen last. */
export type ClusterNode = NodeLoad & {
  readonly id: NodeId;
  /** The same over all its lives, if it was configured. */
  readonly name: string;
  readonly version: string;
  readonly role: NodeRole;
  /** Queues of background work that it works. */
  readonly queues: readonly string[];
  /** Unix milliseconds by its own clock: for people, nothing is decided by it. */
  readonly startedAtMs: number;
  /** It takes no more connections, and moves away those that it has. */
  readonly draining: boolean;
  /** How long ago a heartbeat of it was seen, by this node's monotonic clock. */
  readonly seenMsAgo: number;
};

/** `dead`: its lease was over. `stopped`: it said goodbye. */
export type LeaveCause = "dead" | "stopped";

/** What others want to know about the nodes. Every member may be called at any time after the registry has started. */
export type NodeListener = {
  /** Another node is there. */
  onJoined?(node: NodeId): void;
  /** It is not there any more: nothing is to be asked of it. Called on every node. */
  onLeft?(node: NodeId, cause: LeaveCause): void;
  /**
   * What a node that is gone has left behind is to be removed, by this node. One node at a time is called for it, and again, here or elsewhere, until all
   * listeners were done without an error: it must do no harm twice. After a goodbye it comes later than {@link onLeft}.
   */
  onReap?(node: NodeId): Awaitable<void>;
  /** The others took this node for dead and removed what it had told (it slept): whoever keeps something for it adds it again. */
  onLostLease?(): void;
  /**
   * A Redis has lost what it held (an empty restart, FLUSHALL): whoever keeps something there adds it again. Called once for each loss, with the name of the
   * shard and the number of its partition.
   */
  onRedisNew?(shard: string, partition: number): void;
};

/**
 * The nodes of the cluster. A node is taken for dead when others have read for `cluster.leaseMs` without its heartbeat having moved: the time in
 * which they could not read themselves does not count, and nobody's wall clock does.
 */
export type NodeRegistry = {
  readonly self: NodeId;
  /** The others know this node, or knew it when it last could tell them. */
  readonly joined: boolean;
  /** All that live, by id, this one too. */
  nodes(): readonly ClusterNode[];
  /** The others of them; the same list until one comes or goes. */
  readonly others: readonly NodeId[];
  isAlive(node: NodeId): boolean;
  listen(listener: NodeListener): void;
  /** Told to the others with the next heartbeat, which is at once unless one is under way. */
  startDraining(): void;
  /** It takes connections again; told as {@link startDraining} is. */
  stopDraining(): void;
  /** Goes on purpose: what it leaves behind lives for a grace time, for those who move to other nodes. */
  close(): Promise<void>;
};
