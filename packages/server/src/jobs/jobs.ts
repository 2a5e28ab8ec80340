// Work that outlives the process that asked for it: what it is asked by, and who does it.
import type { Awaitable } from "../awaitable.ts";
import type { TenantId } from "../tenant/tenant.ts";

/** What a worker chooses its work by: `aldis worker --queues webhooks,push,history`. */
export const JOB_QUEUES = ["webhooks", "push", "history"] as const;
export type JobQueue = (typeof JOB_QUEUES)[number];

/** One turn of work for one key. */
export type Job = {
  readonly tenant: TenantId;
  readonly key: string;
  /** How many turns in a row have failed before this one. */
  readonly failures: number;
  /** Aborted when the turn is to end: the process stops, or its hold on the key is lost. What goes on then may be done by another process at the same time. */
  readonly signal: AbortSignal;
};

/** `undefined`: there is nothing more to do. `atMs` (Unix milliseconds): look again then, or when it is woken. */
export type JobOutcome = { readonly atMs: number } | undefined;

/**
 * A kind of work. A job has no content: it is a key that has something to do, and what, stands in records, so that doing it twice, or once too often, does no harm.
 */
export type JobKind = {
  /** Lower case letters, digits and `-`, unlike all others of its owner. */
  readonly name: string;
  readonly queue: JobQueue;
  /**
   * Called for one key at a time in the whole cluster, by a process that works the queue, as long as no process is taken for dead that is not. Whoever dies in it (`kill -9`) has its
   * key taken up by another after `jobs.leaseMs`. What it throws is a failed turn: again later, with backoff and jitter, for ever.
   */
  run(job: Job): Awaitable<JobOutcome>;
};

export type Jobs = {
  /** Says who does this kind of work, before the first of it is taken up. Throws a `TypeError` for a name that is taken. */
  define(kind: JobKind): void;
  /**
   * Has `kind` look at `key` of `tenant`: soon, or at `atMs` (Unix milliseconds). A key that waits already waits until the earlier of the two; one that is being worked on is looked at again
   * afterwards. Resolves when this is kept, so that `kill -9` loses it no more. Rejects with `Unavailable`.
   */
  wake(kind: JobKind, tenant: TenantId, key: string, atMs?: number): Promise<void>;
};
