// Judges tokens (docs/protocol.md, section 2). Asked by the session once per `connect` and `refresh`.
import {
  decodeProtectedHeader,
  type JWTHeaderParameters,
  type JWTPayload,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose";
import type { TenantId } from "../tenant/tenant.ts";
import type { Clock } from "../time/clock.ts";
import type { AuthConfig } from "./auth-config.ts";
import { createIdentityReader } from "./claims.ts";
import type { Fetch } from "./fetch-key-set.ts";
import { createFirebaseRevocation, type RevocationCheck } from "./firebase-revocation.ts";
import type { Identity } from "./identity.ts";
import type { KeySetOutcome } from "./key-set.ts";
import { createKeySource, type VerifyKey } from "./key-sources.ts";
import type { JudgedAt } from "./presets.ts";
import { refusalOf } from "./refusals.ts";
import type { TokenRefusal, TokenVerdict, TokenVerifier } from "./token-verifier.ts";
import { type Trust, trustOf } from "./trust.ts";
import { createVerdictCache } from "./verdict-cache.ts";

export type TokenVerifierDeps = {
  readonly clock: Clock;
  /** Default: the runtime's own. */
  readonly fetch?: Fetch;
  /** Called once for each refused token. */
  readonly countRefusal?: (cause: TokenRefusal) => void;
  /** Told the outcome of every fetch of the key set. */
  readonly onKeySetFetch?: (outcome: KeySetOutcome) => void;
  /** Tokens speak for this tenant alone; see `createIdentityReader`. */
  readonly tenant?: TenantId;
};

/**
 * How long a verdict that can change counts: one of a token without an end, of a key that its provider
 * may withdraw, or of a user whom Firebase may revoke.
 */
const CHANGEABLE_VERDICT_MS = 300_000;

/**
 * Three base64url texts (RFC 7515 §7.1). Decoders let blanks and padding pass, with which one good token
 * could be written in any number of ways, each with its own place in the cache (cache flooding).
 */
const COMPACT_FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;

/**
 * A verifier for what `config` trusts. A token needs no `exp`: it is then good until its key is replaced,
 * which suits machines and is for the token's maker to decide.
 *
 * Throws an `Error` when revocation is to be checked and `firebase-admin` is not installed.
 */
export function createTokenVerifier(config: AuthConfig, deps: TokenVerifierDeps): TokenVerifier {
  const { clock } = deps;
  const trust = trustOf(config);
  const revocation = createRevocation(config, clock);
  const judge = createJudge({ trust, revocation, config }, deps);
  const fixed = trust.jwksUrl === undefined && revocation === undefined;
  const keepMs = fixed ? Number.POSITIVE_INFINITY : CHANGEABLE_VERDICT_MS;
  const cache = createVerdictCache(clock, { max: config.cacheMax, keepMs });

  function refuse(cause: TokenRefusal): TokenVerdict {
    deps.countRefusal?.(cause);
    return { ok: false, cause };
  }

  async function verifyAnew(token: string): Promise<TokenVerdict> {
    const judged = await judge.judge(token);
    if (typeof judged === "string") return refuse(judged);
    cache.set(token, judged);
    return { ok: true, identity: judged };
  }

  return {
    verify(token) {
      // First of all, so that a giant costs neither a hash nor a parse.
      if (token.length > config.tokenMaxBytes) return refuse("oversize");
      if (!COMPACT_FORM.test(token)) return refuse("malformed");
      const identity = cache.get(token);
      if (identity === undefined) return verifyAnew(token);
      const at = { nowMs: clock.nowMs(), skewMs: config.clockSkewMs };
      return hasEnded(identity, at) ? refuse("expired") : { ok: true, identity };
    },
    close: () => judge.close(),
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

type JudgeParts = {
  readonly trust: Trust;
  readonly revocation: RevocationCheck | undefined;
  readonly config: AuthConfig;
};

/** Judges without remembering: header, key, signature and times, the provider's rules, revocation, claims. */
function createJudge({ trust, revocation, config }: JudgeParts, deps: TokenVerifierDeps) {
  const keys = createKeySource(
    trust,
    { clock: deps.clock, fetch: deps.fetch, onFetch: deps.onKeySetFetch },
    config.jwks,
  );
  const readIdentity = createIdentityReader(
    trust.claims,
    deps.tenant === undefined ? {} : { tenant: deps.tenant },
  );
  const options = verifyOptions(trust, config.clockSkewMs);

  async function judgeClaims(claims: JWTPayload, at: JudgedAt): Promise<Identity | TokenRefusal> {
    for (const check of trust.checks) {
      const cause = check(claims, at);
      if (cause !== undefined) return cause;
    }
    const identity = readIdentity(claims);
    if (identity === undefined) return "claims";
    const revoked = await revocation?.check(claims);
    return revoked ?? identity;
  }

  async function judge(token: string): Promise<Identity | TokenRefusal> {
    const header = readHeader(token);
    if (header === undefined) return "malformed";
    if (!trust.algorithms.some((name) => name === header.alg)) return "algorithm";
    const at = { nowMs: deps.clock.nowMs(), skewMs: config.clockSkewMs };
    try {
      const currentDate = new Date(at.nowMs);
      const candidates = await keys.keysFor(header);
      const claims = await verifyWithAny(token, candidates, { ...options, currentDate });
      return typeof claims === "string" ? claims : await judgeClaims(claims, at);
    } catch (error) {
      return refusalOf(error);
    }
  }

  function close(): void {
    keys.close();
    revocation?.close();
  }
  return { judge, close };
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

/**
 * Token substitution (RFC 8725 §3.11): a provider signs other things with the same key, such as logout
 * tokens, and says so in `typ`. What is explicitly typed as one of those is no credential.
 */
function readHeader(token: string): JWTHeaderParameters | undefined {
  try {
    const header = decodeProtectedHeader(token);
    if (typeof header.alg !== "string") return undefined;
    const typ = typeof header.typ === "string" ? header.typ.toLowerCase() : "jwt";
    if (typ.endsWith("+jwt") && !typ.endsWith("at+jwt")) return undefined;
    return { ...header, alg: header.alg };
  } catch {
    // Not a token at all; jose's message would quote nothing more useful than that.
    return undefined;
  }
}
