import type { ErrorBody } from "./openapi.ts";

/**
 * Codes that the SDK itself gives, beside those of the gateway:
 * `network` — no answer: the gateway could not be reached, or the connection broke;
 * `timeout` — no answer in time;
 * `bad_answer` — what answered is no gateway: a proxy's page, or something that cannot be read;
 * `bad_signature` — a request that claims to come from the gateway is not signed by it, or too old.
 */
export type BackendErrorCode = "network" | "timeout" | "bad_answer" | "bad_signature";

export type AldisErrorCode = ErrorBody["code"] | BackendErrorCode;

/** What an {@link AldisError} tells beyond its code and message. */
export type AldisErrorDetails = {
  readonly temporary?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly status?: number | undefined;
  readonly requestId?: string | undefined;
  readonly effect?: "none" | "unknown" | undefined;
  readonly cause?: unknown;
};

/** Every failure that this package reports. Aborted calls reject with the signal's reason instead. */
export class AldisError extends Error {
  override readonly name = "AldisError";
  readonly code: AldisErrorCode;
  /** The same call may succeed later. */
  readonly temporary: boolean;
  /** How long the gateway asks to wait, milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The HTTP status; undefined: there was no answer. */
  readonly status: number | undefined;
  /** By which the gateway's log knows the request. */
  readonly requestId: string | undefined;
  /** `none`: nothing has happened at the gateway. `unknown`: it may have done what it was asked all the same. */
  readonly effect: "none" | "unknown";

  constructor(code: AldisErrorCode, message: string, details: AldisErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.temporary = details.temporary ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.status = details.status;
    this.requestId = details.requestId;
    this.effect = details.effect ?? "none";
  }
}

/** A body that is signed and makes no sense: the only fault of the sender's, who need not send it again. */
export class BadBody extends AldisError {
  constructor(message: string, cause?: unknown) {
    super("bad_request", message, { cause });
  }
}

/** What is wrong with the call itself, found before anything is sent. */
export function misuse(message: string): AldisError {
  return new AldisError("bad_request", message);
}

export function timedOut(afterMs: number): AldisError {
  return new AldisError("timeout", `no answer within ${afterMs} ms`, {
    temporary: true,
    effect: "unknown",
  });
}

/** Under which names runtimes tell that no connection came about, so that nothing was sent. Workers and the first Node 18 tell nothing of the kind. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "ConnectionRefused",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);
/** Deno has a message alone; spaces of a URL that it repeats are escaped. */
const NEVER_SENT_WORDS = "client error (Connect)";

/** What `fetch` threw. */
export function networkFailure(cause: unknown): AldisError {
  const effect = wasNeverSent(cause) ? "none" : "unknown";
  const message = "the gateway could not be reached, or the connection broke before its answer";
  return new AldisError("network", message, { temporary: true, effect, cause });
}

function wasNeverSent(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, message, cause } = error as { code?: unknown; message?: unknown; cause?: unknown };
  if (NEVER_SENT.has(String(code)) || String(message).includes(NEVER_SENT_WORDS)) return true;
  return wasNeverSent(cause);
}
