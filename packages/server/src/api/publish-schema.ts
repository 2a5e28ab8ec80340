// What `POST /api/publish` takes and answers, as schemas; requests are read by hand, in channel/read-publish.ts.
import { FIELD_LIMITS, type PublishBody } from "@aldis/protocol";
import { z } from "@hono/zod-openapi";
import type { PublishOutcome } from "../broker/broker.ts";
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

/** A test holds this and `readPublish` to the same verdicts. */
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

export function publishedBody(outcome: PublishOutcome): Omit<PublishBody, "channel"> {
  const { offset: at, epoch: of, kind, duplicate } = outcome;
  const answer: Omit<PublishBody, "channel"> = { offset: at, epoch: of };
  if (duplicate) answer.duplicate = true;
  if (kind === "suppressed") answer.suppressed = true;
  return answer;
}
