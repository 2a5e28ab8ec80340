// Work that outlives the process that asked for it: what it is asked by, and who does it.
import type { Awaitable } from "../awaitable.ts";
import type { TenantId } from "../tenant/tenant.ts";

/** What a worker chooses its work by: `aldis worker --queues webhooks,push,history`. */
export const JOB_QUEUES = ["webhooks", "push", "history"] as const;
export type JobQueue = (typeof JOB_QUEUES)[number];

/** What a key may have at most, in UTF-16 units. */
export const JOB_KEY_MAX = 400;

/** One turn of work for one key. */
export type Job = {
  readonly tenant: TenantId;
  readonly key: string;
  /** How many turns in a row have failed before this one, or ended with their process. */
  readonly failures: number;
  /** Aborted when the turn is to end: the process stops, or its hold on the key is lost. It takes no further step then. */
  readonly signal: AbortSignal;
  /**
   * Aborted when its hold on the key is lost, or a process that stops has no more time (`jobs.closeMs`): what goes on then may be done by another at the same time. For what cannot be taken
   * back once it has begun, a request to somebody, which would else be made twice whenever a process stops.
   */
  readonly lost: AbortSignal;
};

/**
 * `undefined`: there is nothing more to do. `atMs` (Unix milliseconds): look again then, or when it is woken. `notBeforeMs`: look again then, and not before, however often it is woken,
 * unless by `now`: for those who wait after a failure of somebody else's; `failed`: which counts in {@link Job.failures}.
 */
export type JobOutcome =
  | { readonly atMs: number }
  | { readonly notBeforeMs: number; readonly failed?: true }
  | undefined;

/**
 * When a key is to be looked at: in Unix milliseconds. `now`: at once, even if it waits after a failure, or for `notBeforeMs`; for people who have mended something. Default: as soon as there is room.
 */
export type WakeTime = number | "now";

/**
 * A kind of work. A job has no content: it is a key that has something to do, and what, stands in records, so that doing it twice, or once too often, does no harm.
 */
export type JobKind = {
  /** Lower case letters, digits and `-`, unlike all others of its owner. */
  readonly name: string;
  readonly queue: JobQueue;
  /**
   * Called for one key at a time in the whole cluster, by a process that works the queue, as long as no process is taken for dead that is not. Whoever dies in it (`kill -9`) has its
   * key taken up by another after `jobs.leaseMs`. What it throws is a failed turn: again later, with backoff and jitter, for ever; waking does not shorten that, unless by `now`.
   */
  run(job: Job): Awaitable<JobOutcome>;
  /**
   * Wakes all keys that have something to do by their records, for those whose wake was lost: the process died between the record and the wake, or Redis lost what it held. Called at start
   * and every `jobs.sweepMs`, by one process of the cluster. What it throws ends it until the next time.
   */
  sweep?(wake: (tenant: TenantId, key: string) => Promise<void>): Awaitable<void>;
};

export type Jobs = {
  /** Says who does this kind of work, before the first of it is taken up. Throws a `TypeError` for a name that is taken. */
  define(kind: JobKind): void;
  /**
   * Has `kind` look at `key` of `tenant`, which has from 1 to {@link JOB_KEY_MAX} UTF-16 units, no NUL and no lone surrogate. A key that waits already waits until the earlier of the two times; one
   * that is being worked on is looked at again afterwards. Resolves when this is kept, so that `kill -9` loses it no more. Rejects with `Unavailable`. Many calls for one key at the same time cost as one.
   */
  wake(kind: JobKind, tenant: TenantId, key: string, when?: WakeTime): Promise<void>;
};

/** A queue as this process sees it. */
export type QueueState = {
  readonly queue: JobQueue;
  /** Whether this process works it. */
  readonly worked: boolean;
  /** Keys that could be looked at now, when last counted; at most 10,000 are counted. */
  readonly due: number;
  /** How long the first of them has waited, when last counted. */
  readonly lagMs: number;
  /** Turns under way here. */
  readonly running: number;
};

/** Jobs as the gateway holds them. */
export type JobWorker = Jobs & {
  /** All kinds are defined: the work begins. */
  start(): void;
  readonly queues: readonly QueueState[];
  /** Takes nothing more, aborts the signals of what runs and waits for it, up to `jobs.closeMs`. Idempotent. */
  close(): Promise<void>;
};
