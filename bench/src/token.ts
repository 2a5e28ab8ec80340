import { createHmac } from "node:crypto";

/** The HS256 secret that every benched server verifies with; it protects nothing. */
export const BENCH_SECRET = "aldis-bench-secret-that-protects-nothing-at-all";

const HEADER = base64url(JSON.stringify({ alg: "HS256", typ: "JWT" }));
const LIFETIME_S = 3600;

/** What the bench publishes with over HTTP. */
export const BENCH_API_KEY = "bench-api-key-0123456789";

/** The tenants of the soak, and what their backends publish with. */
export const SOAK_KEYS = {
  one: "soak-key-of-tenant-one-0123456789",
  two: "soak-key-of-tenant-two-0123456789",
} as const;
export type SoakTenant = keyof typeof SOAK_KEYS;

/** A token for `user` that may do all the bench does, valid for an hour. Distinct users give distinct tokens. */
export function mintToken(
  user: string,
  { tenant, lifetimeS = LIFETIME_S }: { tenant?: string; lifetimeS?: number } = {},
): string {
  const issuedAt = Math.floor(Date.now() / 1000);
  const claims = {
    sub: user,
    tenant,
    iat: issuedAt,
    exp: issuedAt + lifetimeS,
    capabilities: { "*": ["subscribe", "publish", "history", "presence"] },
  };
  const signed = `${HEADER}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${createHmac("sha256", BENCH_SECRET).update(signed).digest("base64url")}`;
}

/** `count` tokens of distinct users; minted before any clock starts. */
export function mintTokens(count: number, userPrefix = "user"): string[] {
  return Array.from({ length: count }, (_, index) => mintToken(`${userPrefix}-${index}`));
}

function base64url(text: string): string {
  return Buffer.from(text).toString("base64url");
}
