import {
  channelOf,
  FIELD_LIMITS,
  type Fields,
  optionalInteger,
  optionalString,
  type PublishBody,
  payloadOf,
} from "@aldis/protocol";
import type { Publisher } from "../channel/publisher.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { ApiAnswer } from "./api-answer.ts";

/** HT1: `POST /api/publish`. */
export async function publishRoute(
  publisher: Publisher,
  tenant: TenantId,
  body: Fields,
): Promise<ApiAnswer> {
  const published = publisher.publish({
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
  });
  if (!published.ok) return published;
  const { offset, epoch, kind, duplicate } = await published.value;
  const answer: Omit<PublishBody, "channel"> = { offset, epoch };
  if (duplicate) answer.duplicate = true;
  if (kind === "suppressed") answer.suppressed = true;
  return { ok: true, value: answer };
}
