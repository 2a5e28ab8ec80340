import { FieldError, type Refusal, refuse } from "@aldis/protocol";
import type { Counters } from "../observe/counters.ts";
import type { Log } from "../observe/log.ts";
import { Unavailable } from "../unavailable.ts";

export type FaultDeps = { readonly counters: Counters; readonly log: Log };

/** What a route threw: an outage, or a fault of ours, which is logged under `requestId`. */
export function refusalOfFault(
  { counters, log }: FaultDeps,
  error: unknown,
  requestId?: string,
): Refusal {
  if (error instanceof FieldError) return error.refusal;
  if (error instanceof Unavailable) return refuse("unavailable", "try again");
  counters.faults++;
  log.error({ err: error, requestId }, "request failed");
  return refuse("internal", "a fault of the gateway");
}
