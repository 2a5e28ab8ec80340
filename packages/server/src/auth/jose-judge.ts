// What jose verifies: every algorithm but plain HS256, with secrets, public keys or a key set. Remembers accepted tokens.
import { type JWTHeaderParameters, type JWTPayload, type JWTVerifyOptions, jwtVerify } from "jose";
import type { Awaitable } from "../awaitable.ts";
import type { Clock } from "../time/clock.ts";
import type { AuthConfig } from "./auth-config.ts";
import type { Fetch } from "./fetch-key-set.ts";
import { createFirebaseRevocation, type RevocationCheck } from "./firebase-revocation.ts";
import type { Identity } from "./identity.ts";
import type { KeySetOutcome } from "./key-set.ts";
import { createKeySource, type VerifyKey } from "./key-sources.ts";
import type { JudgedAt } from "./presets.ts";
import { refusalOf } from "./refusals.ts";
import type { TokenRefusal } from "./token-verifier.ts";
import type { Trust } from "./trust.ts";
import { createVerdictCache } from "./verdict-cache.ts";

export type JoseJudgeDeps = {
  readonly clock: Clock;
  readonly fetch?: Fetch;
  readonly onKeySetFetch?: (outcome: KeySetOutcome) => void;
};

export type JoseJudge = {
  /** `header` is the token's own, and its algorithm one of the accepted ones. Who is remembered is answered at once. */
  judge(token: string, header: JWTHeaderParameters): Awaitable<Identity | TokenRefusal>;
  close(): void;
};

/** From claims whose signature, times, issuer and audience were good to who it is, or why not. */
export type JudgeClaims = (claims: JWTPayload, at: JudgedAt) => Identity | TokenRefusal;

/**
 * How long a verdict that can change counts: one of a token without an end, of a key that its provider
 * may withdraw, or of a user whom Firebase may revoke.
 */
const CHANGEABLE_VERDICT_MS = 300_000;

/** Throws an `Error` when revocation is to be checked and `firebase-admin` is not installed. */
export function createJoseJudge(
  parts: { readonly trust: Trust; readonly config: AuthConfig; readonly judgeClaims: JudgeClaims },
  deps: JoseJudgeDeps,
): JoseJudge {
  const { trust, config, judgeClaims } = parts;
  const { clock, fetch, onKeySetFetch } = deps;
  const revocation = createRevocation(config, clock);
  const keys = createKeySource(trust, { clock, fetch, onFetch: onKeySetFetch }, config.jwks);
  const options = verifyOptions(trust, config.clockSkewMs);
  const fixed = trust.jwksUrl === undefined && revocation === undefined;
  const keepMs = fixed ? Number.POSITIVE_INFINITY : CHANGEABLE_VERDICT_MS;
  const cache = createVerdictCache(clock, { max: config.cacheMax, keepMs });

  async function judgeAnew(
    token: string,
    header: JWTHeaderParameters,
    at: JudgedAt,
  ): Promise<Identity | TokenRefusal> {
    try {
      const candidates = await keys.keysFor(header);
      const currentDate = new Date(at.nowMs);
      const claims = await verifyWithAny(token, candidates, { ...options, currentDate });
      if (typeof claims === "string") return claims;
      const judged = judgeClaims(claims, at);
      if (typeof judged === "string") return judged;
      const revoked = await revocation?.check(claims);
      if (revoked !== undefined) return revoked;
      cache.set(token, judged);
      return judged;
    } catch (error) {
      return refusalOf(error);
    }
  }

  return {
    judge(token, header) {
      const at = { nowMs: clock.nowMs(), skewMs: config.clockSkewMs };
      const identity = cache.get(token);
      if (identity === undefined) return judgeAnew(token, header, at);
      return hasEnded(identity, at) ? "expired" : identity;
    },
    close() {
      keys.close();
      revocation?.close();
    },
  };
}

/** The same comparison, in whole seconds, that jose makes for a new token. */
function hasEnded(identity: Identity, at: JudgedAt): boolean {
  if (identity.expiresAtMs === undefined) return false;
  return identity.expiresAtMs <= Math.floor(at.nowMs / 1000) * 1000 - at.skewMs;
}

function createRevocation(config: AuthConfig, clock: Clock): RevocationCheck | undefined {
  const { provider } = config;
  if (provider?.kind !== "firebase" || !provider.checkRevoked) return undefined;
  return createFirebaseRevocation(clock, {
    projectId: provider.projectId,
    serviceAccountFile: provider.serviceAccountFile,
    timeoutMs: config.jwks.timeoutMs,
  });
}

function verifyOptions(trust: Trust, skewMs: number): JWTVerifyOptions {
  return {
    algorithms: [...trust.algorithms],
    clockTolerance: skewMs / 1000,
    ...(trust.issuers.length > 0 && { issuer: [...trust.issuers] }),
    ...(trust.audiences.length > 0 && { audience: [...trust.audiences] }),
  };
}

/** Tries the keys in turn until one fits the signature: old and new secret, or a key set without `kid`s. */
async function verifyWithAny(
  token: string,
  keys: readonly VerifyKey[],
  options: JWTVerifyOptions,
): Promise<JWTPayload | TokenRefusal> {
  let cause: TokenRefusal = "unknown_key";
  for (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload;
    } catch (error) {
      cause = refusalOf(error);
      if (cause !== "signature" && cause !== "unknown_key") return cause;
    }
  }
  return cause;
}
