import { isFields } from "@aldis/protocol";
import type { JWTPayload } from "jose";
import type { JudgedAt } from "./presets.ts";
import type { TokenRefusal } from "./token-verifier.ts";

/** Who may have made a token, and for whom; empty: anybody. */
export type ClaimRules = {
  readonly issuers: readonly string[];
  readonly audiences: readonly string[];
};

const strictText = new TextDecoder("utf-8", { fatal: true });

/** The claims in a token's payload (RFC 7519 §7.2), read as jose reads them; undefined: there are none. */
export function readClaims(payload: string): JWTPayload | undefined {
  try {
    const bytes = Uint8Array.fromBase64(payload, { alphabet: "base64url" });
    const claims: unknown = JSON.parse(strictText.decode(bytes));
    return isFields(claims) ? claims : undefined;
  } catch {
    // Whoever may sign has signed something that is no claims set; what it was instead is of no use to anybody.
    return undefined;
  }
}

/**
 * The registered claims (RFC 7519 §4.1) judged as jose's `jwtVerify` does, and in its order: a missing or wrong issuer, a missing
 * or wrong audience, then times, in whole seconds. A property test holds the two against each other.
 */
export function refusalOfClaims(
  claims: JWTPayload,
  rules: ClaimRules,
  at: JudgedAt,
): TokenRefusal | undefined {
  const { issuers, audiences } = rules;
  if (issuers.length > 0 && !Object.hasOwn(claims, "iss")) return "issuer";
  if (audiences.length > 0 && !Object.hasOwn(claims, "aud")) return "audience";
  if (issuers.length > 0 && !issuers.some((issuer) => issuer === claims.iss)) return "issuer";
  if (audiences.length > 0 && !isFor(audiences, claims.aud)) return "audience";
  return refusalOfTimes(claims, at);
}

function isFor(audiences: readonly string[], claim: unknown): boolean {
  if (typeof claim === "string") return audiences.includes(claim);
  return Array.isArray(claim) && audiences.some((audience) => claim.includes(audience));
}

function refusalOfTimes(claims: JWTPayload, { nowMs, skewMs }: JudgedAt): TokenRefusal | undefined {
  // Typed as numbers, but written by whoever signed.
  const { iat, nbf, exp }: { iat?: unknown; nbf?: unknown; exp?: unknown } = claims;
  const now = Math.floor(nowMs / 1000);
  const skew = skewMs / 1000;
  if (iat !== undefined && typeof iat !== "number") return "claims";
  if (nbf !== undefined && typeof nbf !== "number") return "claims";
  if (nbf !== undefined && nbf > now + skew) return "not_yet_valid";
  if (exp !== undefined && typeof exp !== "number") return "claims";
  return exp !== undefined && exp <= now - skew ? "expired" : undefined;
}
