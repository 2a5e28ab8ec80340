import { ERRORS, FieldError, type Refusal } from "@aldis/protocol";
import type { Awaitable } from "../awaitable.ts";
import type { PublishOutcome } from "../broker/broker.ts";
import type { Publisher, PublishRequest } from "../channel/publisher.ts";
import { type Counters, countOne } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { Tenants } from "../tenant/tenants.ts";
import { Unavailable } from "../unavailable.ts";

/** What became of one publish: it has its place, or this refusal stands in its way. */
export type Outcome = PublishOutcome | Refusal;

export type PublishDeps = {
  readonly publisher: Publisher;
  readonly tenants: Tenants;
  readonly counters: Counters;
  readonly log: Log;
  /** Takes a message of so many bytes from the tenant's rates; why it may not be published now (QU3). Without it none has any. */
  readonly take?: (tenant: TenantId, bytes: number) => Refusal | undefined;
};

/**
 * Publishes as HTTP does, and counts what became of it. Never throws or rejects. What is refused before it reaches the broker is so in this
 * turn, so that what comes after it in its channel can wait behind it.
 */
export function publishOne(
  deps: PublishDeps,
  request: PublishRequest,
  bytes: number,
): Awaitable<Outcome> {
  if (deps.tenants.of(request.tenant).status !== "active") return refused(deps.counters, SHUT);
  try {
    const over = deps.take?.(request.tenant, bytes);
    if (over !== undefined) return refused(deps.counters, over);
    const begun = deps.publisher.publish(request);
    if (!begun.ok) return refused(deps.counters, begun);
    return publishedBy(deps, begun.value);
  } catch (error) {
    return failed(deps, error);
  }
}

async function publishedBy(
  deps: PublishDeps,
  underWay: Awaitable<PublishOutcome>,
): Promise<Outcome> {
  try {
    const outcome = await underWay;
    countOne(deps.counters.ingestPublished, outcome.duplicate ? "duplicate" : outcome.kind);
    return outcome;
  } catch (error) {
    return failed(deps, error);
  }
}

function failed({ counters, log }: PublishDeps, error: unknown): Refusal {
  // A hook has refused it later than in the turn of the call.
  if (error instanceof FieldError) return refused(counters, error.refusal);
  if (error instanceof Unavailable) return refused(counters, UNAVAILABLE);
  counters.faults++;
  log.error({ err: error }, "what came through Redis could not be published");
  return refused(counters, FAULT);
}

export function isRefusal(outcome: Outcome): outcome is Refusal {
  return "ok" in outcome;
}

/** Repeating it may help. */
export function isTemporary({ error }: Refusal): boolean {
  return ERRORS[error].temporary;
}

export function refused(counters: Counters, refusal: Refusal): Refusal {
  countOne(counters.ingestRefused, refusal.error);
  return refusal;
}

const UNAVAILABLE: Refusal = { ok: false, error: "unavailable", message: "the broker is away" };
/** As the tenant's API keys are answered, suspended or not there. */
const SHUT: Refusal = { ok: false, error: "forbidden", message: "the tenant is not let in" };
const FAULT: Refusal = { ok: false, error: "internal", message: "a fault of the gateway" };
