import type { ErrorBody, ErrorCode } from "@aldis/protocol";

/**
 * Codes that the client itself gives, beside those of the gateway:
 * `closed` — the client was closed, or may not come back (see `closeCode`);
 * `disconnected` — the connection broke before the answer came;
 * `timeout` — no answer in time;
 * `queue_full` — too much is waiting to be sent already;
 * `unconfirmed` — sent once, never answered, and too long ago to be repeated safely;
 * `token_failed` — the token function threw.
 */
export type ClientErrorCode =
  | "closed"
  | "disconnected"
  | "timeout"
  | "queue_full"
  | "unconfirmed"
  | "token_failed";

export type AldisErrorCode = ErrorCode | ClientErrorCode;

/** What an {@link AldisError} tells beyond its code and message. */
export type AldisErrorDetails = {
  /** The same call may succeed later. */
  readonly temporary?: boolean;
  /** How long the gateway asks to wait, milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The WebSocket close code behind it. */
  readonly closeCode?: number;
  readonly cause?: unknown;
};

/**
 * Every failure that this package reports: refusals of the gateway (docs/protocol.md ER1) and the
 * client's own ({@link ClientErrorCode}). Aborted calls reject with the signal's reason instead.
 */
export class AldisError extends Error {
  override readonly name = "AldisError";
  readonly code: AldisErrorCode;
  readonly temporary: boolean;
  readonly retryAfterMs: number | undefined;
  readonly closeCode: number | undefined;

  constructor(code: AldisErrorCode, message: string, details: AldisErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.temporary = details.temporary ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.closeCode = details.closeCode;
  }
}

export function errorOf(body: ErrorBody): AldisError {
  return new AldisError(body.code, body.message, body);
}

/** The codes that ERRORS of the protocol calls temporary; a test compares them. */
export function isTemporaryCode(code: ErrorCode): boolean {
  return code === "rate_limited" || code === "unavailable" || code === "internal";
}

export function disconnected(): AldisError {
  return new AldisError("disconnected", "the connection broke before the answer came", {
    temporary: true,
  });
}

export function timedOut(what: string): AldisError {
  return new AldisError("timeout", `${what}: no answer in time`, { temporary: true });
}
