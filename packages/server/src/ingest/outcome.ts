import { ERRORS, type Refusal } from "@aldis/protocol";
import { BrokerUnavailable, type PublishOutcome } from "../broker/broker.ts";
import type { Publisher, PublishRequest } from "../channel/publisher.ts";
import { type Counters, countOne } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";

/** What became of one publish: it has its place, or this refusal stands in its way. */
export type Outcome = PublishOutcome | Refusal;

export type PublishDeps = {
  readonly publisher: Publisher;
  readonly counters: Counters;
  readonly log: Log;
};

/** Publishes as HTTP does, and counts what became of it. Never rejects. */
export async function publishOne(deps: PublishDeps, request: PublishRequest): Promise<Outcome> {
  const { publisher, counters, log } = deps;
  try {
    const begun = publisher.publish(request);
    if (!begun.ok) return refused(counters, begun);
    const outcome = await begun.value;
    countOne(counters.ingestPublished, outcome.duplicate ? "duplicate" : outcome.kind);
    return outcome;
  } catch (error) {
    if (error instanceof BrokerUnavailable) return refused(counters, UNAVAILABLE);
    counters.faults++;
    log.error({ err: error }, "what came through Redis could not be published");
    return refused(counters, FAULT);
  }
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
const FAULT: Refusal = { ok: false, error: "internal", message: "a fault of the gateway" };
