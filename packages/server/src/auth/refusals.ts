// From jose's errors to the causes that are counted.
import { errors } from "jose";
import type { TokenRefusal } from "./token-verifier.ts";

/** The keys cannot be had: the token may be good. `message` says why, without URLs or tokens. */
export class KeysUnavailable extends Error {
  override readonly name = "KeysUnavailable";
}

/**
 * Why verification failed. What is none of jose's own errors came out of using the key (a broken or too
 * small key in a key set) and counts as a key that is not there.
 */
export function refusalOf(error: unknown): TokenRefusal {
  if (error instanceof KeysUnavailable) return "keys_unavailable";
  if (error instanceof errors.JWTExpired) return "expired";
  if (error instanceof errors.JWTClaimValidationFailed) return claimRefusal(error);
  if (error instanceof errors.JWSSignatureVerificationFailed) return "signature";
  if (error instanceof errors.JOSEAlgNotAllowed) return "algorithm";
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return "malformed";
  // Its only use here is a `crit` header with an extension that jose does not know: the algorithm is pinned.
  if (error instanceof errors.JOSENotSupported) return "malformed";
  return "unknown_key";
}

function claimRefusal(error: errors.JWTClaimValidationFailed): TokenRefusal {
  if (error.claim === "iss") return "issuer";
  if (error.claim === "aud") return "audience";
  return error.claim === "nbf" && error.reason === "check_failed" ? "not_yet_valid" : "claims";
}
