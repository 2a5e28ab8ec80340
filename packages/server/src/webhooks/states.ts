// What an operator wants to know of an endpoint.
import { type Clock, type Records, type TenantId, z } from "../plugins/index.ts";
import { breakerOf } from "./backoff.ts";
import type { WebhooksConfig } from "./config.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { EndpointLog } from "./log.ts";
import { type EndpointRecord, type EventRecord, type ProgressRecord, STATUSES } from "./records.ts";

export const deliveryState = z.object({
  status: z.enum(STATUSES),
  why: z.string().optional(),
  cursor: z.int().describe("The number of the last event that was taken, or became a dead letter."),
  last: z.int().describe("The number of the last event that was recorded."),
  backlog: z.int().describe("How many wait."),
  oldestAt: z.int().optional().describe("When the first that waits was recorded."),
  lastTakenAt: z.int().optional(),
  lastError: z.object({ at: z.int(), why: z.string(), status: z.int().optional() }).optional(),
  failures: z.int().describe("Attempts in a row that have failed."),
  nextAttemptAt: z.int().optional().describe("Not before then, while it fails."),
  breaker: z
    .enum(["closed", "open", "half-open"])
    .describe("`open`: it is down, and nothing is sent; `half-open`: it is tried next."),
  dead: z.int().describe("Dead letters; counted up to 10,000."),
});
export type DeliveryState = z.output<typeof deliveryState>;

export type StatesDeps = {
  readonly clock: Clock;
  readonly config: Pick<WebhooksConfig, "breakerFailures">;
  readonly progress: Records<ProgressRecord>;
  readonly events: Records<EventRecord>;
};

export type States = {
  of(tenant: TenantId, record: EndpointRecord): Promise<DeliveryState>;
};

export function createStates({
  clock,
  config,
  progress,
  events,
  dead,
}: StatesDeps & { readonly dead: DeadLetters }): States {
  return {
    async of(tenant, { endpoint, status, why }) {
      const log = new EndpointLog(events, tenant, endpoint);
      const [found, last, letters] = await Promise.all([
        progress.get(tenant, { endpoint }),
        log.top(),
        dead.count(tenant, endpoint),
      ]);
      const { cursor, state } = found ?? { cursor: 0, state: { failures: 0, nextAt: 0 } };
      const [oldest] = await log.after(cursor, 1);
      const { failures, nextAt, lastTakenAt, lastError } = state;
      return {
        status: STATUSES.find((each) => each === status) ?? "disabled",
        ...(why !== undefined && { why }),
        ...{ cursor, last: Math.max(last, cursor), backlog: Math.max(0, last - cursor) },
        ...(oldest !== undefined && { oldestAt: oldest.recordedAt }),
        ...(lastTakenAt !== undefined && { lastTakenAt }),
        ...(lastError !== undefined && { lastError }),
        failures,
        ...(failures > 0 && { nextAttemptAt: nextAt }),
        breaker: breakerOf(state, clock.nowMs(), config.breakerFailures),
        dead: letters,
      };
    },
  };
}
