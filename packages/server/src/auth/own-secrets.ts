// Tokens of tenants that have secrets of their own (TN9): judged by those alone, before anything that the configuration trusts is asked.
import type { JWTHeaderParameters, JWTPayload } from "jose";
import type { Awaitable } from "../awaitable.ts";
import type { HmacSha256 } from "../crypto/hmac-sha256.ts";
import type { TenantId } from "../tenant/tenant.ts";
import { readClaims, refusalOfClaims } from "./claims-set.ts";
import { claimsOfSigned } from "./hs256-lane.ts";
import type { Identity } from "./identity.ts";
import type { JudgedAt } from "./presets.ts";
import type { TokenRefusal } from "./token-verifier.ts";

/** What is known of such tenants now. */
export type OwnSecrets = {
  /** How many tenants have any. */
  readonly size: number;
  /** Undefined: the tenant has none. Empty: all of its have ended, and nothing speaks for it. "unusable": they cannot be opened here. */
  of(tenant: TenantId): readonly HmacSha256[] | "unusable" | undefined;
  /** Whether it is known who has secrets. */
  readonly isLoaded: boolean;
  /** Resolves when it is, or when that takes too long: whether it is known then. */
  whenLoaded(): Promise<boolean>;
  /** The configuration names it: it has none, whatever is known. */
  isConfigured(tenant: TenantId): boolean;
};

export type OwnJudgeDeps = {
  readonly own: OwnSecrets;
  /** Whom claims speak for, as an identity is read from them; undefined: for nobody. */
  readonly tenantIn: (claims: JWTPayload) => TenantId | undefined;
  readonly readIdentity: (claims: JWTPayload) => Identity | undefined;
};

export type OwnJudge = {
  /** Undefined: the tenant has no secrets of its own, and the token is judged like any other. */
  judge(
    token: string,
    header: JWTHeaderParameters,
    at: JudgedAt,
  ): Awaitable<Identity | TokenRefusal | undefined>;
  /** Attack: a token that another judge takes for one of such a tenant's. */
  isOwn(tenant: TenantId): boolean;
};

/** Issuers and audiences of the configuration are those of its own tokens. */
const NO_RULES = { issuers: [], audiences: [] };

export function createOwnJudge({ own, tenantIn, readIdentity }: OwnJudgeDeps): OwnJudge {
  /** What the token says before anybody has judged it: it decides by whose secrets it is judged, and nothing else. */
  function claimedTenant(token: string): TenantId | undefined {
    const claims = readClaims(token.slice(token.indexOf(".") + 1, token.lastIndexOf(".")));
    return claims && tenantIn(claims);
  }

  function judgeAs(
    tenant: TenantId,
    token: string,
    header: JWTHeaderParameters,
    at: JudgedAt,
  ): Identity | TokenRefusal | undefined {
    const hmacs = own.of(tenant);
    if (hmacs === undefined) return undefined;
    if (hmacs === "unusable") return "keys_unavailable";
    // Algorithm confusion: HS256 and nothing else, and no extension that must be understood. `kid` chooses nothing: the tenant's secrets are few, and each is tried.
    if (header.alg !== "HS256" || header.crit !== undefined) return "algorithm";
    const claims = claimsOfSigned(hmacs, token);
    if (typeof claims === "string") return claims;
    const refusal = refusalOfClaims(claims, NO_RULES, at);
    if (refusal !== undefined) return refusal;
    const identity = readIdentity(claims);
    return identity?.tenant === tenant ? identity : "claims";
  }

  return {
    judge(token, header, at) {
      if (own.isLoaded && own.size === 0) return undefined;
      const tenant = claimedTenant(token);
      if (tenant === undefined) return undefined;
      if (own.isLoaded || own.isConfigured(tenant)) return judgeAs(tenant, token, header, at);
      // Attack: the time before a node knows whose secrets there are.
      return own
        .whenLoaded()
        .then((known) => (known ? judgeAs(tenant, token, header, at) : "keys_unavailable"));
    },
    isOwn: (tenant) => own.size > 0 && own.of(tenant) !== undefined,
  };
}
