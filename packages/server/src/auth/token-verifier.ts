import type { Identity } from "./identity.ts";

/**
 * Why a token was refused. Counted and logged, never told to the client: the difference between
 * "unknown key" and "bad signature" is what an attacker probes for (docs/protocol.md AU3).
 */
export type TokenRefusal =
  | "oversize"
  | "malformed"
  | "algorithm"
  | "signature"
  | "unknown_key"
  | "expired"
  | "not_yet_valid"
  | "issuer"
  | "audience"
  | "claims"
  | "revoked"
  | "keys_unavailable";

export type TokenVerdict =
  | { readonly ok: true; readonly identity: Identity }
  | { readonly ok: false; readonly cause: TokenRefusal };

/**
 * Judges tokens. Implementations never throw for a bad token, and answer `keys_unavailable` when the
 * keys cannot be had. A verdict that is known already (cache) comes back without a promise, so that a
 * reconnect storm costs no signature.
 */
export type TokenVerifier = {
  verify(token: string): TokenVerdict | Promise<TokenVerdict>;
  close(): void;
};
