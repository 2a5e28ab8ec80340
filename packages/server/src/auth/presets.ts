// Identity providers, each as the rules that its own documentation gives for verifying its tokens.
import type { JWTPayload } from "jose";
import type { Algorithm } from "./algorithms.ts";
import { listOf } from "./auth-fields.ts";
import type { AuthConfig, Provider } from "./auth-sections.ts";
import type { ClaimPaths } from "./claims.ts";
import type { TokenRefusal } from "./token-verifier.ts";

/** The time at which a token is judged, and how far clocks may differ. Milliseconds. */
export type JudgedAt = { readonly nowMs: number; readonly skewMs: number };

/** A provider's own rule about claims whose signature, issuer, audience and times were good. */
export type ClaimCheck = (claims: JWTPayload, at: JudgedAt) => TokenRefusal | undefined;

export type Preset = {
  readonly issuer: string;
  /** Empty: any. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly Algorithm[];
  readonly jwksUrl: string;
  readonly claims: Partial<ClaimPaths>;
  readonly checks: readonly ClaimCheck[];
};

export function presetOf(config: AuthConfig): Preset | undefined {
  const { provider } = config;
  switch (provider?.kind) {
    case undefined:
      return undefined;
    case "firebase":
      return firebase(provider);
    case "clerk":
      return clerk(provider, listOf(config.audience));
    case "auth0":
      return auth0(provider);
    case "supabase":
      return supabase(provider, listOf(config.audience));
  }
}

type Of<K extends Provider["kind"]> = Extract<Provider, { kind: K }>;

/** https://firebase.google.com/docs/auth/admin/verify-id-tokens (third-party JWT library). */
function firebase(provider: Of<"firebase">): Preset {
  return {
    issuer: `https://securetoken.google.com/${provider.projectId}`,
    audiences: [provider.projectId],
    algorithms: ["RS256"],
    jwksUrl:
      "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    claims: {},
    checks: [checkAuthTime, checkFirebaseSubject],
  };
}

/** The moment of signing in, which must be over. */
function checkAuthTime(claims: JWTPayload, at: JudgedAt): TokenRefusal | undefined {
  const seconds = claims["auth_time"];
  if (typeof seconds !== "number") return "claims";
  return seconds * 1000 > at.nowMs + at.skewMs ? "not_yet_valid" : undefined;
}

function checkFirebaseSubject(claims: JWTPayload): TokenRefusal | undefined {
  return typeof claims.sub === "string" && claims.sub.length <= 128 ? undefined : "claims";
}

/** https://clerk.com/docs/guides/sessions/manual-jwt-verification */
function clerk(provider: Of<"clerk">, audiences: readonly string[]): Preset {
  const issuer = withoutSlash(provider.issuer);
  return {
    issuer,
    audiences,
    algorithms: ["RS256"],
    jwksUrl: `${issuer}/.well-known/jwks.json`,
    claims: {},
    checks: [checkAuthorizedParty(provider.authorizedParties), checkSessionStatus],
  };
}

/**
 * Subdomain cookie leaking: a page on a sibling domain can use Clerk's session cookie, but the token it
 * gets says so in `azp`. Tokens of native apps carry none; a page cannot take it away.
 */
function checkAuthorizedParty(parties: readonly string[] | undefined): ClaimCheck {
  return (claims) => {
    const party = claims["azp"];
    if (parties === undefined || party === undefined) return undefined;
    return typeof party === "string" && parties.includes(party) ? undefined : "audience";
  };
}

/** A `pending` session (second factor or another task outstanding) is not signed in yet. */
function checkSessionStatus(claims: JWTPayload): TokenRefusal | undefined {
  return claims["sts"] === "pending" ? "claims" : undefined;
}

/** https://auth0.com/docs/secure/tokens/access-tokens/validate-access-tokens; its issuer ends in a slash. */
function auth0(provider: Of<"auth0">): Preset {
  const issuer = `https://${provider.domain}/`;
  return {
    issuer,
    audiences: listOf(provider.audience),
    algorithms: ["RS256"],
    jwksUrl: `${issuer}.well-known/jwks.json`,
    claims: {},
    checks: [],
  };
}

/**
 * https://supabase.com/docs/guides/auth/jwts. Tenant and capabilities come from `app_metadata`, which
 * only the project's backend writes; names and pictures are the user's own and come from `user_metadata`.
 */
function supabase(provider: Of<"supabase">, audiences: readonly string[]): Preset {
  const issuer = `${withoutSlash(provider.url)}/auth/v1`;
  return {
    issuer,
    audiences: audiences.length > 0 ? audiences : ["authenticated"],
    algorithms: ["ES256", "RS256"],
    jwksUrl: `${issuer}/.well-known/jwks.json`,
    claims: {
      name: "user_metadata.full_name",
      avatar: "user_metadata.avatar_url",
      tenant: "app_metadata.tenant",
      capabilities: "app_metadata.capabilities",
    },
    checks: [],
  };
}

function withoutSlash(url: string): string {
  return url.endsWith("/") ? url.slice(0, -1) : url;
}
