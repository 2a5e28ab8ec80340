import type { Config } from "@aldis/server";
import { SignJWT } from "jose";

export type TokenClaims = {
  readonly user: string;
  readonly tenant?: string | undefined;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly capabilities?: Readonly<Record<string, readonly string[]>> | undefined;
  readonly expiresInSeconds: number;
};

/** What a token must carry beside the bearer's claims to be accepted by the gateway that is configured so. */
export type Signing = {
  readonly secret: string;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
};

/** Signs with the first of several secrets: the others are on their way out, or not everywhere yet. */
export function signingOf(auth: Config["auth"]): Signing | undefined {
  const [secret] = [auth.jwtSecret ?? []].flat();
  if (secret === undefined) return undefined;
  const [issuer] = [auth.issuer ?? []].flat();
  const [audience] = [auth.audience ?? []].flat();
  return { secret, issuer, audience };
}

/** An HS256 token. */
export function mintToken(signing: Signing, claims: TokenClaims): Promise<string> {
  const { user, tenant, name, email, capabilities, expiresInSeconds } = claims;
  const nowSeconds = Math.floor(Date.now() / 1000);
  const payload = { tenant, name, email, capabilities };
  const token = new SignJWT(JSON.parse(JSON.stringify(payload)))
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + expiresInSeconds);
  if (signing.issuer !== undefined) token.setIssuer(signing.issuer);
  if (signing.audience !== undefined) token.setAudience(signing.audience);
  return token.sign(new TextEncoder().encode(signing.secret));
}
