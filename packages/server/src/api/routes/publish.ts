import type { Fields } from "@aldis/protocol";
import type { PublishOutcome } from "../../broker/broker.ts";
import type { Publisher } from "../../channel/publisher.ts";
import { readPublish } from "../../channel/read-publish.ts";
import type { TenantId } from "../../tenant/tenant.ts";
import type { ApiAnswer } from "../api-answer.ts";
import type { Operations } from "../operations.ts";
import { publishBody, published, publishedBody } from "../publish-schema.ts";
import { type Route, route } from "../route.ts";

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
export function publishRoute(operations: Pick<Operations, "publish">): Route {
  return route(
    {
      method: "post",
      path: "/api/publish",
      access: "publish",
      sends: "message",
      tag: "Publishing",
      summary: "Publish to a channel",
      description:
        "Gives the message its place in the channel and hands it to every subscriber of this moment. Who comes later finds it in the history.",
      body: publishBody,
      answer: published,
      refusals: ["bad_channel", "quota_exceeded", "unavailable"],
      example: { body: { channel: "chat:lobby", event: "say", data: { text: "Hello" } } },
    },
    ({ grant, body }) => operations.publish(grant.tenant, body),
  );
}
