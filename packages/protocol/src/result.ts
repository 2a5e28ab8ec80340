import type { ErrorCode } from "./errors.ts";

/**
 * What can be refused returns a `Result`; what is broken throws. `message` is for the developer at the
 * other end: it says what was wrong with the input and never shows internals or secrets.
 */
export type Result<T> = { readonly ok: true; readonly value: T } | Refusal;

/** The refusing half of a {@link Result}. `retryAfterMs` only where waiting helps. */
export type Refusal = {
  readonly ok: false;
  readonly error: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number;
};

export function accept<T>(value: T): Result<T> {
  return { ok: true, value };
}

export function refuse(error: ErrorCode, message: string): Refusal {
  return { ok: false, error, message };
}
