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
  readonly done?: readonly unknown[] | undefined;
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
  /** Of `publishMany` and `batch` when they take several requests: results of those before the one that failed. */
  readonly done: readonly unknown[] | undefined;

  constructor(code: AldisErrorCode, message: string, details: AldisErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.temporary = details.temporary ?? false;
    this.retryAfterMs = details.retryAfterMs;
    this.status = details.status;
    this.requestId = details.requestId;
    this.effect = details.effect ?? "none";
    this.done = details.done;
  }
}

/** A body that is signed and makes no sense: the only fault of the sender's, who need not send it again. */
export class BadBody extends AldisError {
  constructor(message: string, cause?: unknown) {
    super("bad_request", message, { cause });
  }
}

/** What is wrong with the call itself, found before anything is sent. */
export function misuse(message: string, cause?: unknown): AldisError {
  return new AldisError("bad_request", message, { cause });
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

/** From here on a gateway as it comes breaks off, and most proxies, before the request is over. */
const LARGE = 1_024 * 1_024;

/** What `fetch` threw, asking for something at `origin` with a body of that length. */
export function networkFailure(cause: unknown, origin: string, length = 0): AldisError {
  const causes = causesOf(cause);
  const effect = causes.some(wasNeverSent) ? "none" : "unknown";
  // The innermost one says it: `fetch failed` is what Node says of everything.
  const why =
    causes
      .map(messageOf)
      .filter((message) => message !== "")
      .at(-1) ?? "no reason is told";
  const large = length > LARGE ? `; ${length} bytes may be more than it takes` : "";
  const message = `no answer from ${origin}: ${why}${large}`;
  return new AldisError("network", message, { temporary: true, effect, cause });
}

const CAUSES_MAX = 5;

/** An error, what caused it, and so on. */
function causesOf(error: unknown): object[] {
  const causes: object[] = [];
  for (let at = error; typeof at === "object" && at !== null; ) {
    if (causes.push(at) >= CAUSES_MAX) break;
    at = (at as { cause?: unknown }).cause;
  }
  return causes;
}

function wasNeverSent(error: object): boolean {
  const { code } = error as { code?: unknown };
  return NEVER_SENT.has(String(code)) || messageOf(error).includes(NEVER_SENT_WORDS);
}

/** Of whatever was thrown; empty: it has none. Of several that failed together, the first one's. */
export function messageOf(thrown: unknown): string {
  if (typeof thrown !== "object" || thrown === null) return String(thrown);
  const { message, errors } = thrown as { message?: unknown; errors?: unknown };
  if (typeof message === "string" && message !== "") return message;
  return Array.isArray(errors) && errors.length > 0 ? messageOf(errors[0]) : "";
}
