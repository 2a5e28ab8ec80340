import type { Log } from "../observe/log.ts";
import type { Clock } from "../time/clock.ts";
import { Unavailable } from "../unavailable.ts";
import type { Job, JobKind, JobOutcome } from "./jobs.ts";
import { wholeMs } from "./kinds.ts";

/** How a turn ended. `stopped`: it was to end before it was done. */
export type TurnEnd =
  | { readonly end: "done" }
  | { readonly end: "at"; readonly atMs: number }
  | { readonly end: "notBefore" | "failed"; readonly atMs: number; readonly waitMs: number }
  | { readonly end: "stopped" };

export type RunDeps = {
  readonly clock: Clock;
  readonly log: Log;
  /** How long to wait after so many failures in a row. */
  backoffMs(failures: number): number;
};

/** Never rejects. */
export async function runTurn(
  { clock, log, backoffMs }: RunDeps,
  kind: JobKind,
  job: Job,
): Promise<TurnEnd> {
  const { tenant, failures, signal } = job;
  try {
    return endOf(await kind.run(job), clock.nowMs());
  } catch (error) {
    if (signal.aborted) return { end: "stopped" };
    const turn = { job: kind.name, tenant, failures };
    // Whatever is away says so itself, once; each job that waits for it need not.
    if (error instanceof Unavailable) log.debug({ ...turn, why: error.message }, "a job waits");
    else log.warn({ ...turn, err: error }, "a job failed");
    const waitMs = backoffMs(failures + 1);
    return { end: "failed", atMs: clock.nowMs() + waitMs, waitMs };
  }
}

function endOf(outcome: JobOutcome, nowMs: number): TurnEnd {
  if (outcome === undefined) return { end: "done" };
  if ("atMs" in outcome) return { end: "at", atMs: wholeMs(outcome.atMs) };
  const { notBeforeMs, failed = false } = outcome;
  const atMs = wholeMs(notBeforeMs);
  return { end: failed ? "failed" : "notBefore", atMs, waitMs: Math.max(1, atMs - nowMs) };
}
