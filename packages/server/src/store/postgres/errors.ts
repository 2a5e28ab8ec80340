import { StoreUnavailable } from "../store-unavailable.ts";

/**
 * What an error of PostgreSQL means for what was asked. `again`: it did not happen, because of others at the same time. `unique`: another record is in
 * the way. `refused`: the server will not take these values, whoever asks how often. `unfit`: it will not have us. `full`: it takes no more
 * connections. `away`: the rest; what was to be written may have been written.
 */
export type Verdict = "again" | "unique" | "refused" | "unfit" | "full" | "away";

/** By SQLSTATE, or the first two characters of it, its class. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  "40001": "again", // serialization_failure
  "40P01": "again", // deadlock_detected
  "55P03": "again", // lock_not_available
  "23505": "unique",
  "22": "refused", // data_exception
  "23": "refused", // integrity_constraint_violation
  "54": "refused", // program_limit_exceeded: a row that no index takes
  "28": "unfit", // invalid_authorization_specification
  "3D": "unfit", // invalid_catalog_name
  "3F": "unfit", // invalid_schema_name
  "42501": "unfit", // insufficient_privilege
  "08P01": "unfit", // protocol_violation: a pooler that takes no settings
  "53300": "full", // too_many_connections
};

/** Of those without a SQLSTATE: the server has no TLS, or not the certificate that was asked for. */
const UNFIT_CODES = /TLS|SSL|CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|AUTHENTICATION/;

export function verdictOf(error: unknown): Verdict {
  const state = stateOf(error);
  if (state !== undefined) return VERDICTS[state] ?? VERDICTS[state.slice(0, 2)] ?? "away";
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "string" && UNFIT_CODES.test(code) ? "unfit" : "away";
}

/** SQLSTATE, if the server sent one. */
export function stateOf(error: unknown): string | undefined {
  const { errno } = (error ?? {}) as { readonly errno?: unknown };
  return typeof errno === "string" && /^[0-9A-Z]{5}$/.test(errno) ? errno : undefined;
}

/** Of a `unique` one: what is there already is the record's key itself, and not what another index holds. */
export function isOfKey(error: unknown): boolean {
  const { constraint } = (error ?? {}) as { readonly constraint?: unknown };
  // As the server calls it by itself; names of other indexes end otherwise.
  return typeof constraint === "string" && constraint.endsWith("_pkey");
}

export function asUnavailable(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  return new StoreUnavailable("PostgreSQL is away, or did not do it in time", { cause: error });
}
