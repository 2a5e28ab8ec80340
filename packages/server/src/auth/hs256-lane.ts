// HS256 without promises: a token that any backend makes with the shared secret is judged in the turn that it comes in, so its
// connection is let in within its upgrade (docs/decisions/0009-hs256-lane.md).
import { timingSafeEqual } from "node:crypto";
import type { JWTHeaderParameters, JWTPayload } from "jose";
import { createHmacSha256, type HmacSha256 } from "../crypto/hmac-sha256.ts";
import { readClaims, refusalOfClaims } from "./claims-set.ts";
import type { JudgedAt } from "./presets.ts";
import type { TokenRefusal } from "./token-verifier.ts";
import type { Trust } from "./trust.ts";

export type Hs256Lane = {
  /** Only what is plain: HS256, and no extension that must be understood (`crit`). All else is jose's. */
  takes(header: JWTHeaderParameters): boolean;
  /** The claims of a token that was made with one of the secrets, or why it is refused. `token`: three base64url texts. */
  judge(token: string, at: JudgedAt): JWTPayload | TokenRefusal;
};

/** Undefined where HS256 is not accepted, or no secret is there. Verdicts are the same as those of jose. */
export function createHs256Lane(trust: Trust): Hs256Lane | undefined {
  if (trust.secrets.length === 0 || !trust.algorithms.includes("HS256")) return undefined;
  const hmacs = trust.secrets.map((secret) => createHmacSha256(new TextEncoder().encode(secret)));
  return {
    takes: (header) => header.alg === "HS256" && header.crit === undefined,
    judge(token, at) {
      const claims = claimsOfSigned(hmacs, token);
      if (typeof claims === "string") return claims;
      return refusalOfClaims(claims, trust, at) ?? claims;
    },
  };
}

/** The claims of a token that was made with one of the secrets, whatever they are. `token`: three base64url texts. */
export function claimsOfSigned(
  hmacs: readonly HmacSha256[],
  token: string,
): JWTPayload | TokenRefusal {
  const payloadAt = token.indexOf(".") + 1;
  const signatureAt = token.lastIndexOf(".") + 1;
  const signature = readSignature(token.slice(signatureAt));
  if (signature === undefined) return "malformed";
  const signed = token.slice(0, signatureAt - 1);
  if (!hmacs.some((hmac) => isSignedWith(hmac, signed, signature))) return "signature";
  return readClaims(token.slice(payloadAt, signatureAt - 1)) ?? "malformed";
}

/** As bytes: the last letter of a base64url text may hold bits that mean nothing, and jose lets them pass. */
function readSignature(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    // No base64url: said by the answer.
    return undefined;
  }
}

/** Attack: guessing a signature byte by byte from the time that a comparison takes. */
function isSignedWith(hmac: HmacSha256, signed: string, signature: Uint8Array): boolean {
  const right = hmac(signed);
  return right.length === signature.length && timingSafeEqual(right, signature);
}
