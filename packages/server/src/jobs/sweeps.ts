import { SYSTEM_TENANT } from "../tenant/tenant.ts";
import type { Clock, Timer } from "../time/clock.ts";
import { Unavailable } from "../unavailable.ts";
import type { JobKind, JobWorker } from "./jobs.ts";

/** Tried again so soon when it could not be asked for. */
const RETRY_MS = 1_000;
/** A sweep has one key. */
const ALL = "all";

export type SweepingJobs = JobWorker & {
  /** What was kept is lost, perhaps: sweeps are asked for now. */
  sweep(): void;
};

/** Adds sweeps: each is a job of its own, asked for by every process and done by one. */
export function withSweeps(
  jobs: JobWorker,
  { clock, sweepMs }: { readonly clock: Clock; readonly sweepMs: number },
): SweepingJobs {
  const sweeps: JobKind[] = [];
  let timer: Timer | undefined;
  let closed = false;

  async function ask(): Promise<void> {
    timer?.cancel();
    let nextMs = sweepMs;
    try {
      await Promise.all(sweeps.map((kind) => jobs.wake(kind, SYSTEM_TENANT, ALL)));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      nextMs = Math.min(RETRY_MS, sweepMs);
    }
    timer?.cancel();
    if (!closed) timer = clock.setTimer(nextMs, () => void ask());
  }

  return {
    define(kind) {
      jobs.define(kind);
      if (kind.sweep === undefined) return;
      const sweep = sweepOf(jobs, kind, () => clock.nowMs() + sweepMs);
      jobs.define(sweep);
      sweeps.push(sweep);
    },
    wake: (kind, tenant, key, when) => jobs.wake(kind, tenant, key, when),
    start() {
      jobs.start();
      if (sweeps.length > 0) void ask();
    },
    sweep() {
      if (sweeps.length > 0 && !closed) void ask();
    },
    get queues() {
      return jobs.queues;
    },
    close() {
      closed = true;
      timer?.cancel();
      return jobs.close();
    },
  };
}

function sweepOf(jobs: JobWorker, kind: JobKind, nextMs: () => number): JobKind {
  return {
    name: `${kind.name}.sweep`,
    queue: kind.queue,
    async run() {
      await kind.sweep?.((tenant, key) => jobs.wake(kind, tenant, key));
      // However many ask for it.
      return { notBeforeMs: nextMs() };
    },
  };
}
