// What an attempt changes in the progress of its endpoint. Pure.
import type { AttemptOutcome } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import type { WebhooksConfig } from "./config.ts";
import type { Burial, LastError, ProgressState } from "./records.ts";

export function afterTaken(
  { lastError, singlyTo = 0 }: ProgressState,
  { to, atMs, isSlow }: { readonly to: number; readonly atMs: number; readonly isSlow: boolean },
): ProgressState {
  return {
    ...{ failures: 0, nextAt: 0, lastTakenAt: atMs },
    ...(lastError !== undefined && { lastError }),
    ...(singlyTo > to && { singlyTo }),
    ...(isSlow && { isSlow }),
  };
}

export type Failure = {
  readonly outcome: Exclude<AttemptOutcome, { kind: "taken" | "unsent" }>;
  /** How many events the batch had. */
  readonly count: number;
  readonly cursor: number;
  /** The last event that is too old to be tried again; not above `cursor`: none is. */
  readonly oldTo: number;
  readonly nowMs: number;
  readonly chance: number;
};

type Bounds = Pick<WebhooksConfig, "backoffMs" | "backoffMaxMs" | "rejectedAttempts">;

/**
 * The batch stays as it is, so that the next attempt is the same; unless it is too old, or was refused: then its events are sent one at a time, so that one that cannot be taken
 * holds up no other for long.
 */
export function afterFailure(
  { batch, ...state }: ProgressState,
  failure: Failure,
  config: Bounds,
): ProgressState {
  const { outcome, count, cursor, oldTo, nowMs, chance } = failure;
  const failures = state.failures + 1;
  const asked = outcome.kind === "failed" ? (outcome.retryAfterMs ?? 0) : 0;
  const nextAt = nowMs + Math.max(backoffMs(failures, config, chance), asked);
  const next: ProgressState = { ...state, failures, nextAt, lastError: errorOf(outcome, nowMs) };
  if (batch === undefined || outcome.kind === "gone") return next;
  const rejected = batch.rejected + (outcome.kind === "rejected" ? 1 : 0);
  const burial = burialOf(failure, rejected >= config.rejectedAttempts && count === 1, cursor);
  // What comes after a letter that was refused by itself has its try at once.
  if (burial !== undefined) return { ...next, burial, ...(oldTo <= cursor && { nextAt: nowMs }) };
  if (outcome.kind === "rejected" && count > 1) return { ...next, singlyTo: batch.to };
  return { ...next, batch: { ...batch, rejected } };
}

function burialOf(
  { outcome, oldTo }: Failure,
  isRefused: boolean,
  cursor: number,
): Burial | undefined {
  const why = outcome.kind === "gone" ? "gone" : outcome.why;
  if (oldTo > cursor) return { to: oldTo, why: `too old; at last: ${why}` };
  return isRefused ? { to: cursor + 1, why } : undefined;
}

function errorOf(outcome: Failure["outcome"], at: number): LastError {
  const status = outcome.kind === "failed" ? outcome.status : outcome.status;
  const why = outcome.kind === "gone" ? "status 410" : outcome.why;
  return { at, why, ...(status !== undefined && { status }) };
}
