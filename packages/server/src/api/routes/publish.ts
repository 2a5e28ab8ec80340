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
import type { PublishOutcome } from "../../broker/broker.ts";
import type { Publisher, PublishRequest } from "../../channel/publisher.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type { ApiAnswer } from "../api-answer.ts";
import { type Route, route } from "../route.ts";
import { channelName, epoch, eventName, offset, onePayload, payloadFields } from "../schemas.ts";

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

/** HT1, from a body that was read. */
export function publish(
  publisher: Publisher,
  tenant: TenantId,
  body: Fields,
): ApiAnswer | Promise<ApiAnswer> {
  const request = publisher.publish(readPublish(tenant, body));
  if (!request.ok) return request;
  const { value } = request;
  if (value instanceof Promise) return value.then(answerOf);
  return answerOf(value);
}

function answerOf(outcome: PublishOutcome): ApiAnswer {
  return { ok: true, value: publishedBody(outcome) };
}

/** For the document; requests take the straight way in api.ts. */
export function publishRoute({ publisher }: { readonly publisher: Publisher }): Route {
  return route(
    {
      method: "post",
      path: "/api/publish",
      access: "publish",
      tag: "Publishing",
      summary: "Publish to a channel",
      description:
        "Gives the message its place in the channel and hands it to every subscriber of this moment. Who comes later finds it in the history.",
      body: publishBody,
      answer: published,
      refusals: ["bad_channel", "unavailable"],
      example: { body: { channel: "chat:lobby", event: "say", data: { text: "Hello" } } },
    },
    ({ grant, body }) => publish(publisher, grant.tenant, body),
  );
}
