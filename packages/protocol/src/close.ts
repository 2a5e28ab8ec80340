// What a client tells apart stands by itself: its bundle then holds these, and not the table.
const NO_TOKEN = 4001;
const BAD_TOKEN = 4002;
const TOO_MANY_REFUSED = 4010;
const TENANT_SUSPENDED = 4014;

/**
 * Every code the gateway itself closes a WebSocket with (docs/protocol.md, section Closing). The range is
 * the retry policy: 4000–4499 come back, 4500–4999 do not. 4001 and 4002 are older than that rule and
 * stand as its two exceptions: come back only with another token. Numbers are never reused.
 */
export const CLOSE = {
  noToken: { code: NO_TOKEN, reason: "token required", retry: "with-new-token" },
  badToken: { code: BAD_TOKEN, reason: "token refused or expired", retry: "with-new-token" },
  noSignOfLife: { code: 4005, reason: "no sign of life", retry: "yes" },
  internalError: { code: 4006, reason: "internal error", retry: "yes" },
  authUnavailable: { code: 4007, reason: "tokens cannot be judged now", retry: "yes" },
  slowConsumer: { code: 4008, reason: "slow consumer", retry: "yes" },
  tooManyConnections: { code: 4009, reason: "too many connections", retry: "yes" },
  tooManyRefused: { code: TOO_MANY_REFUSED, reason: "too many refused commands", retry: "yes" },
  reconnectAsked: { code: 4011, reason: "reconnect asked by the application", retry: "yes" },
  stopping: { code: 4012, reason: "gateway is stopping", retry: "yes" },
  sessionAstray: { code: 4013, reason: "session may be elsewhere", retry: "yes" },
  tenantSuspended: { code: TENANT_SUSPENDED, reason: "tenant suspended", retry: "yes" },
  protocolError: { code: 4500, reason: "protocol error", retry: "no" },
  sessionTaken: { code: 4501, reason: "session resumed elsewhere", retry: "no" },
  disconnected: { code: 4502, reason: "disconnected by the application", retry: "no" },
  tenantGone: { code: 4503, reason: "no such tenant", retry: "no" },
} as const satisfies Record<string, CloseRow>;

type CloseRow = { code: number; reason: string; retry: "yes" | "no" | "with-new-token" };

export type CloseCause = keyof typeof CLOSE;

/**
 * What a client does after a close with `code`. Codes below 4000 (RFC 6455 section 7.4: network loss,
 * going away, …) come back, but for 1002, 1003, 1007, 1008, 1009 and 1010, which the same client would
 * only provoke again.
 */
export function retryAfterClose(code: number): CloseRow["retry"] {
  if (code === NO_TOKEN || code === BAD_TOKEN) return "with-new-token";
  if (code >= 4500 && code <= 4999) return "no";
  if (code === 1002 || code === 1003 || (code >= 1007 && code <= 1010)) return "no";
  return "yes";
}

/** Whether the gateway says in an `error` before it closes with `code` why, and when to come back. */
export function isAnnouncedClose(code: number): boolean {
  return code === TOO_MANY_REFUSED || code === TENANT_SUSPENDED;
}
