// What `POST /api/publish` takes and answers, twice: as schemas, and read by hand.
import {
  channelOf,
  FIELD_LIMITS,
  type Fields,
  optionalInteger,
  optionalString,
  type PublishBody,
  payloadOf,
} from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { PublishOutcome } from "../broker/broker.ts";
import type { PublishRequest } from "../channel/publisher.ts";
import type { TenantId } from "../tenant/tenant.ts";
import { channelName, epoch, eventName, offset, onePayload, payloadFields } from "./schemas.ts";

/** What a publish may say beside its channel. `null` is as good as absent, as on the WebSocket. */
export const publishFields = {
  event: eventName.nullish(),
  key: z.string().min(1).max(FIELD_LIMITS.key).nullish().openapi({
    description: "What the message is the latest value of, for subscribers that fall behind (BP4).",
    example: "price:EURUSD",
  }),
  ...payloadFields,
  idempotencyKey: z.string().min(1).max(FIELD_LIMITS.idempotencyKey).nullish().openapi({
    description:
      "A repeated publish with the same key publishes nothing and gets the first one's answer (PB2).",
    example: "order-4711-paid",
  }),
  version: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish().openapi({
    description: "Published only if greater than the channel's latest version (PB3).",
  }),
};

/** A test holds this and {@link readPublish} to the same verdicts. */
export const publishBody = z
  .object({ channel: channelName, ...publishFields })
  .superRefine(onePayload)
  .openapi("Publish");

export const published = z
  .object({
    offset,
    epoch,
    duplicate: z.literal(true).optional().openapi({
      description: "The idempotency key was seen before: this is the first publish's answer.",
    }),
    suppressed: z.literal(true).optional().openapi({
      description: "A newer `version` is there already: nothing was published.",
    }),
  })
  .openapi("Published");

/** By hand what `publishBody` says: this is the one hot route (docs/decisions/0007-http.md). Throws a `FieldError`. */
export function readPublish(tenant: TenantId, body: Fields): PublishRequest {
  return {
    tenant,
    channel: channelOf(body),
    event: optionalString(body, "event", FIELD_LIMITS.event),
    key: optionalString(body, "key", FIELD_LIMITS.key),
    data: payloadOf(body),
    from: undefined,
    exclude: undefined,
    idempotencyKey: optionalString(body, "idempotencyKey", FIELD_LIMITS.idempotencyKey),
    idempotencyScope: "api",
    version: optionalInteger(body, "version", { min: 0, max: Number.MAX_SAFE_INTEGER }),
  };
}

export function publishedBody(outcome: PublishOutcome): Omit<PublishBody, "channel"> {
  const { offset: at, epoch: of, kind, duplicate } = outcome;
  const answer: Omit<PublishBody, "channel"> = { offset: at, epoch: of };
  if (duplicate) answer.duplicate = true;
  if (kind === "suppressed") answer.suppressed = true;
  return answer;
}
