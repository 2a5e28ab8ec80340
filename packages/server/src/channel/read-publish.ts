import {
  channelOf,
  FIELD_LIMITS,
  type Fields,
  optionalInteger,
  optionalString,
  payloadOf,
} from "@aldis/protocol";
import type { TenantId } from "../tenant/tenant.ts";
import type { PublishRequest } from "./publisher.ts";

/** Whose idempotency keys those of backends are, by whatever way they publish. */
export const BACKEND_SCOPE = "api";

/**
 * What a backend asks to be published, over HTTP or through Redis. By hand what `publishBody` of the API says: this is a hot route
 * (docs/decisions/0007-http.md). Throws a `FieldError`.
 */
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
    idempotencyScope: BACKEND_SCOPE,
    version: optionalInteger(body, "version", { min: 0, max: Number.MAX_SAFE_INTEGER }),
  };
}
