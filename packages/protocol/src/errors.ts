/**
 * Every error a gateway answers with, on the WebSocket and over HTTP (docs/protocol.md, section Errors).
 * Codes are never renamed or reused. `temporary` means that the same command may succeed later,
 * unchanged; `status` is the HTTP status that carries the same refusal.
 */
export const ERRORS = {
  bad_frame: {
    status: 400,
    temporary: false,
    means: "the frame is not a JSON object with an `action`, or its `id` is unusable",
  },
  bad_request: { status: 400, temporary: false, means: "a field is missing or has the wrong type" },
  bad_channel: { status: 400, temporary: false, means: "the channel name breaks the grammar" },
  unknown_action: { status: 404, temporary: false, means: "no such action" },
  not_found: { status: 404, temporary: false, means: "no such resource" },
  method_not_allowed: {
    status: 405,
    temporary: false,
    means: "this path takes other methods, which `Allow` names",
  },
  unauthorized: { status: 401, temporary: false, means: "no valid credentials" },
  forbidden: {
    status: 403,
    temporary: false,
    means: "not allowed, or not there for you: the answer is the same",
  },
  not_subscribed: { status: 409, temporary: false, means: "subscribe to the channel first" },
  conflict: {
    status: 409,
    temporary: false,
    means: "it has changed meanwhile, is taken, or cannot be as things stand: look again",
  },
  position_lost: {
    status: 410,
    temporary: false,
    means: "the given epoch is over: its publications are gone",
  },
  too_large: { status: 413, temporary: false, means: "the message is over its limit" },
  unsupported_media: { status: 415, temporary: false, means: "send application/json" },
  limit_reached: { status: 429, temporary: false, means: "a fixed ceiling is reached" },
  quota_exceeded: {
    status: 429,
    temporary: false,
    means: "the tenant has used up one of its quotas, which `message` names",
  },
  rate_limited: { status: 429, temporary: true, means: "too fast: wait `retryAfterMs`" },
  unavailable: { status: 503, temporary: true, means: "a part of the gateway is away: try again" },
  internal: { status: 500, temporary: true, means: "a fault of the gateway; it is logged there" },
} as const satisfies Record<string, ErrorRow>;

type ErrorRow = { status: number; temporary: boolean; means: string };

export type ErrorCode = keyof typeof ERRORS;
