// Judges tokens (docs/protocol.md, section 2). Asked by the session once per `connect` and `refresh`.
import { decodeProtectedHeader, type JWTHeaderParameters, type JWTPayload } from "jose";
import { type Awaitable, mapReady } from "../awaitable.ts";
import type { TenantId } from "../tenant/tenant.ts";
import type { AuthConfig } from "./auth-config.ts";
import { createIdentityReader, createTenantReader } from "./claims.ts";
import { createHs256Lane } from "./hs256-lane.ts";
import type { Identity } from "./identity.ts";
import { createJoseJudge, type JoseJudgeDeps } from "./jose-judge.ts";
import { createOwnJudge, type OwnJudge, type OwnSecrets } from "./own-secrets.ts";
import type { JudgedAt } from "./presets.ts";
import type { TokenRefusal, TokenVerdict, TokenVerifier } from "./token-verifier.ts";
import { trustOf } from "./trust.ts";

export type TokenVerifierDeps = JoseJudgeDeps & {
  /** Tokens speak for this tenant alone; see `createIdentityReader`. */
  readonly tenant?: TenantId;
  /** Secrets that tenants have of their own; undefined: no tenant has any. */
  readonly own?: OwnSecrets | undefined;
};

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
  const trust = trustOf(config);
  const readIdentity = createIdentityReader(
    trust.claims,
    deps.tenant === undefined ? {} : { tenant: deps.tenant },
  );
  const lane = createHs256Lane(trust);
  const headerOf = createHeaderReader();
  const jose = createJoseJudge({ trust, config, judgeClaims }, deps);
  const tenantIn = createTenantReader(trust.claims);
  const ownJudge = deps.own && createOwnJudge({ own: deps.own, tenantIn, readIdentity });

  function judgeClaims(claims: JWTPayload, at: JudgedAt): Identity | TokenRefusal {
    for (const check of trust.checks) {
      const cause = check(claims, at);
      if (cause !== undefined) return cause;
    }
    return readIdentity(claims) ?? "claims";
  }

  function judgedAt(): JudgedAt {
    return { nowMs: deps.clock.nowMs(), skewMs: config.clockSkewMs };
  }

  function judge(token: string): Awaitable<Judged> {
    // First of all, so that a giant costs neither a hash nor a parse.
    if (token.length > config.tokenMaxBytes) return "oversize";
    if (!COMPACT_FORM.test(token)) return "malformed";
    const header = headerOf(token);
    if (header === undefined) return "malformed";
    if (ownJudge === undefined) return judgeTrusted(token, header);
    return mapReady(ownJudge.judge(token, header, judgedAt()), (own) =>
      own === undefined ? mapReady(judgeTrusted(token, header), unlessOwn(ownJudge)) : own,
    );
  }

  function judgeTrusted(token: string, header: JWTHeaderParameters): Awaitable<Judged> {
    if (!trust.algorithms.some((name) => name === header.alg)) return "algorithm";
    if (!lane?.takes(header)) return jose.judge(token, header);
    // Not remembered: looking a verdict up costs as much as this.
    const at = judgedAt();
    const claims = lane.judge(token, at);
    return typeof claims === "string" ? claims : judgeClaims(claims, at);
  }

  function verdictOf(judged: Judged): TokenVerdict {
    return typeof judged === "string"
      ? { ok: false, cause: judged }
      : { ok: true, identity: judged };
  }

  return {
    verify(token) {
      const judged = judge(token);
      return judged instanceof Promise ? judged.then(verdictOf) : verdictOf(judged);
    },
    close: () => jose.close(),
  };
}

type Judged = Identity | TokenRefusal;

/** Whatever a token looked like before it was judged: nobody else speaks for a tenant that has secrets of its own. */
function unlessOwn(own: OwnJudge): (judged: Judged) => Judged {
  return (judged) =>
    typeof judged !== "string" && own.isOwn(judged.tenant) ? "signature" : judged;
}

/** The tokens of an application mostly begin with the same header: the latest that was read is remembered. */
function createHeaderReader(): (token: string) => JWTHeaderParameters | undefined {
  let latest: JWTHeaderParameters | undefined;
  /** With the dot behind it, so that it is the whole of what a token begins with. */
  let latestText = ".";
  return (token) => {
    if (!token.startsWith(latestText)) {
      latest = readHeader(token);
      latestText = token.slice(0, token.indexOf(".") + 1);
    }
    return latest;
  };
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
    return Object.freeze({ ...header, alg: header.alg });
  } catch {
    // Not a token at all; jose's message would quote nothing more useful than that.
    return undefined;
  }
}
