import type { ErrorCode, Refusal } from "@aldis/protocol";

/** A refusal that says how long to wait: rounded up, so that who waits as told does not come too early. */
export function refuseFor(
  error: ErrorCode & ("rate_limited" | "limit_reached" | "quota_exceeded" | "unavailable"),
  message: string,
  waitMs: number,
): Refusal {
  return { ok: false, error, message, retryAfterMs: Math.ceil(waitMs) };
}
