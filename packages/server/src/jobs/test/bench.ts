// What the contract's tests are made of.
import { parseTenantId, type TenantId } from "../../tenant/tenant.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import type { Job, JobKind, JobOutcome, JobQueue, JobWorker } from "../jobs.ts";

/** One process's jobs. */
export type WorkerProcess = {
  readonly jobs: JobWorker;
  /** As `kill -9`: nothing of it is heard any more, what it was doing included. */
  kill(): void;
};

export type ConnectOptions = {
  /** Defined before it starts. */
  readonly kinds: readonly JobKind[];
  /** Default: all. */
  readonly queues?: readonly JobQueue[];
  /** Of each queue. Default: 20. */
  readonly concurrency?: number;
  readonly retryMs?: number;
  readonly leaseMs?: number;
  readonly sweepMs?: number;
  readonly closeMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
};

/** The system's clock, until its wall time is moved by hand. */
export function movableClock(): Clock & { move(byMs: number): void } {
  let aheadMs = 0;
  return {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + aheadMs,
    move(byMs) {
      aheadMs += byMs;
    },
  };
}

/** Something to keep jobs in, of a test's own. */
export type FreshJobs = AsyncDisposable & {
  connect(options: ConnectOptions): Promise<WorkerProcess>;
};

export type OpenFreshJobs = () => Promise<FreshJobs>;

/** What workers of the tests are opened with: quick, so that tests are. */
export const TEST_TIMES = {
  leaseMs: 1_200,
  pollMs: 25,
  retryMs: 20,
  retryMaxMs: 200,
  closeMs: 5_000,
  sweepMs: 600_000,
} as const;

export const ACME = tenant("acme");
export const OTHER = tenant("other");

export function tenant(name: string): TenantId {
  const parsed = parseTenantId(name);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

export function kind(
  run: (job: Job) => JobOutcome | Promise<JobOutcome>,
  more: Partial<JobKind> = {},
): JobKind {
  return { name: "test.work", queue: "webhooks", run, ...more };
}

/** A run that waits to be told how it ends. */
export type Held = { readonly job: Job; end(outcome?: JobOutcome): void; fail(): void };

/** A kind whose turns are ended by hand. */
export function heldKind(more: Partial<JobKind> = {}): {
  readonly kind: JobKind;
  readonly turns: Held[];
} {
  const turns: Held[] = [];
  const run = (job: Job) =>
    new Promise<JobOutcome>((resolve, reject) => {
      turns.push({ job, end: resolve, fail: () => reject(new Error("as told")) });
    });
  return { kind: kind(run, more), turns };
}
