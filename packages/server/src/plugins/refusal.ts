import { type ErrorCode, FieldError, refuse } from "@aldis/protocol";

/**
 * To be thrown by an action, a route or a hook: what the caller is answered with. `message` is shown to users: it tells nothing that they may not know. `retryAfterMs` is for
 * `rate_limited`, and wherever else waiting helps.
 */
export function refusal(code: ErrorCode, message: string, retryAfterMs?: number): FieldError {
  const told = refuse(code, message);
  // Whole milliseconds, and never before it helps.
  const waits = retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(retryAfterMs) };
  return new FieldError({ ...told, ...waits });
}
