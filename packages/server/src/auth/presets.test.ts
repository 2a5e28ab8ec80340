import { afterAll, describe, expect, test } from "bun:test";
import { authSchema } from "./auth-config.ts";
import { createTokenVerifier } from "./create-token-verifier.ts";
import { createFakeClock } from "./test/fake-clock.ts";
import { createKeyServer } from "./test/key-server.ts";
import { type Claims, createKeyPair, createSecretSigner, type Signer } from "./test/tokens.ts";

const clock = createFakeClock();
const nowSeconds = clock.nowMs() / 1000;
const rsa = await createKeyPair("RS256", "rsa");
const ec = await createKeyPair("ES256", "ec");
const server = createKeyServer([rsa.jwk, ec.jwk]);
afterAll(() => server.stop());

type Case = { readonly provider: Claims; readonly signer?: Signer; readonly more?: Claims };

function judge({ provider, signer = rsa, more = {} }: Case) {
  const config = authSchema.parse({ provider, jwks: { url: server.url }, ...more });
  const verifier = createTokenVerifier(config, { clock });
  return async (claims: Claims) => {
    const verdict = await verifier.verify(await signer.sign(claims));
    return verdict.ok ? verdict.identity : verdict.cause;
  };
}

/** The URL that is asked for keys when none is configured. */
async function askedUrl(provider: Claims): Promise<string | undefined> {
  let asked: string | undefined;
  const fetch = async (url: string) => {
    asked = url;
    return Response.json({ keys: [rsa.jwk] });
  };
  const verifier = createTokenVerifier(authSchema.parse({ provider }), { clock, fetch });
  await verifier.verify(await rsa.sign({ sub: "ann" }));
  return asked;
}

describe("Firebase", () => {
  const provider = { kind: "firebase", projectId: "demo-project" };
  const good = {
    iss: "https://securetoken.google.com/demo-project",
    aud: "demo-project",
    sub: "ann",
    auth_time: nowSeconds - 100,
    iat: nowSeconds,
    exp: nowSeconds + 3600,
    name: "Ann",
    picture: "https://example.com/a.png",
    email: "ann@example.com",
    tenant: "acme",
    firebase: { sign_in_provider: "password" },
  };
  const verdict = judge({ provider });

  test("an id token says who", async () => {
    expect(await verdict(good)).toMatchObject({
      userId: "ann",
      tenant: "acme",
      name: "Ann",
      avatar: "https://example.com/a.png",
      email: "ann@example.com",
    });
  });

  test.each([
    ["another project", { iss: "https://securetoken.google.com/other" }, "issuer"],
    ["another audience", { aud: "other" }, "audience"],
    ["signed in later than now", { auth_time: nowSeconds + 61 }, "not_yet_valid"],
    ["no time of signing in", { auth_time: undefined }, "claims"],
    ["a time in text", { auth_time: "0" }, "claims"],
    ["an overlong id", { sub: "a".repeat(129) }, "claims"],
    ["no id", { sub: undefined }, "claims"],
    ["expired", { exp: nowSeconds - 61 }, "expired"],
  ] as const)("refused: %s", async (_, claims, cause) => {
    expect(await verdict({ ...good, ...claims })).toBe(cause);
  });

  test("clocks may differ by the skew; ids have up to 128 characters", async () => {
    expect(await verdict({ ...good, auth_time: nowSeconds + 60 })).toMatchObject({ userId: "ann" });
    expect(await verdict({ ...good, sub: "a".repeat(128) })).toMatchObject({ tenant: "acme" });
  });

  test("only RS256, from Google's keys", async () => {
    expect(await judge({ provider, signer: ec })(good)).toBe("algorithm");
    expect(await askedUrl(provider)).toBe(
      "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com",
    );
  });
});

describe("Clerk", () => {
  const provider = { kind: "clerk", issuer: "https://acme.clerk.accounts.dev" };
  const good = {
    iss: "https://acme.clerk.accounts.dev",
    sub: "user_1",
    azp: "https://app.example.com",
    exp: nowSeconds + 60,
    o: { id: "org_1" },
  };

  test("a session token says who; its organization can be the tenant", async () => {
    const verdict = judge({ provider, more: { claims: { tenant: "o.id" } } });
    expect(await verdict(good)).toMatchObject({ userId: "user_1", tenant: "org_1" });
    expect(await verdict({ ...good, iss: "https://evil.clerk.accounts.dev" })).toBe("issuer");
    expect(await verdict({ ...good, sts: "pending" })).toBe("claims");
    expect(await verdict({ ...good, sts: "active" })).toMatchObject({ userId: "user_1" });
  });

  test("subdomain cookie leaking: `azp` must be one of the authorized parties", async () => {
    const authorizedParties = ["https://app.example.com"];
    const verdict = judge({ provider: { ...provider, authorizedParties } });
    expect(await verdict(good)).toMatchObject({ userId: "user_1" });
    expect(await verdict({ ...good, azp: "https://evil.example.com" })).toBe("audience");
    expect(await verdict({ ...good, azp: "" })).toBe("audience");
    expect(await verdict({ ...good, azp: ["https://app.example.com"] })).toBe("audience");
    expect(await verdict({ ...good, azp: undefined })).toMatchObject({ userId: "user_1" });
  });

  test("an audience can be asked for; keys are beside the issuer", async () => {
    const verdict = judge({ provider, more: { audience: "api" } });
    expect(await verdict(good)).toBe("audience");
    expect(await verdict({ ...good, aud: "api" })).toMatchObject({ userId: "user_1" });
    const expected = "https://acme.clerk.accounts.dev/.well-known/jwks.json";
    expect(await askedUrl(provider)).toBe(expected);
    expect(await askedUrl({ ...provider, issuer: `${provider.issuer}/` })).toBe(expected);
  });

  test("a pinned public key takes the place of the key set", async () => {
    const config = authSchema.parse({ provider, publicKey: rsa.publicPem });
    const fetch = () => Promise.reject(new Error("asked"));
    const verifier = createTokenVerifier(config, { clock, fetch });
    expect((await verifier.verify(await rsa.sign(good))).ok).toBe(true);
  });
});

describe("Auth0", () => {
  const provider = { kind: "auth0", domain: "acme.eu.auth0.com", audience: "https://api.example" };
  const good = {
    iss: "https://acme.eu.auth0.com/",
    aud: ["https://api.example", "https://acme.eu.auth0.com/userinfo"],
    sub: "auth0|ann",
    exp: nowSeconds + 60,
    "https://app.example/tenant": "acme",
  };

  test("an access token says who, namespaced claims included", async () => {
    const verdict = judge({ provider, more: { claims: { tenant: "https://app.example/tenant" } } });
    expect(await verdict(good)).toMatchObject({ userId: "auth0|ann", tenant: "acme" });
    expect(await verdict({ ...good, aud: "https://other.example" })).toBe("audience");
    expect(await verdict({ ...good, iss: "https://acme.eu.auth0.com" })).toBe("issuer");
  });

  test("keys are at the domain", async () => {
    expect(await askedUrl(provider)).toBe("https://acme.eu.auth0.com/.well-known/jwks.json");
  });
});

describe("Supabase", () => {
  const provider = { kind: "supabase", url: "https://abc.supabase.co" };
  const secret = "the-legacy-secret-of-the-project-x";
  const good = {
    iss: "https://abc.supabase.co/auth/v1",
    aud: "authenticated",
    role: "authenticated",
    sub: "7b0cf8a2-0000-4000-8000-000000000000",
    exp: nowSeconds + 60,
    email: "ann@example.com",
    app_metadata: { provider: "email", tenant: "acme", capabilities: { "chat:*": "*" } },
    user_metadata: { full_name: "Ann", avatar_url: "https://example.com/a.png", tenant: "evil" },
    tenant: "evil",
  };

  test.each([
    ["ES256 key", ec],
    ["RS256 key", rsa],
    ["legacy secret", createSecretSigner(secret)],
  ] as const)("an access token says who: %s", async (_, signer) => {
    const verdict = judge({ provider: { ...provider, jwtSecret: secret }, signer });
    expect(await verdict(good)).toMatchObject({
      userId: good.sub,
      tenant: "acme",
      name: "Ann",
      avatar: "https://example.com/a.png",
      email: "ann@example.com",
    });
  });

  test("without the legacy secret HS256 is not accepted", async () => {
    expect(await judge({ provider, signer: createSecretSigner(secret) })(good)).toBe("algorithm");
  });

  test("the project's `anon` and `service_role` keys are no users", async () => {
    const signer = createSecretSigner(secret);
    const verdict = judge({ provider: { ...provider, jwtSecret: secret }, signer });
    const key = { iss: "supabase", ref: "abc", role: "anon", exp: nowSeconds + 60 };
    expect(await verdict(key)).toBe("audience");
    expect(await verdict({ ...good, ...key })).toBe("issuer");
    expect(await verdict({ ...good, aud: "anon" })).toBe("audience");
  });

  test("keys are below the project's URL", async () => {
    const expected = "https://abc.supabase.co/auth/v1/.well-known/jwks.json";
    expect(await askedUrl({ ...provider, url: "https://abc.supabase.co/" })).toBe(expected);
  });
});

describe("verdicts that can change", () => {
  test("a key that its provider withdrew ends within five minutes, cache or not", async () => {
    const own = createFakeClock();
    const keys = createKeyServer([rsa.jwk]);
    const config = authSchema.parse({ jwks: { url: keys.url, maxAgeMs: 60_000 } });
    const verifier = createTokenVerifier(config, { clock: own });
    const token = await rsa.sign({ sub: "ann", exp: nowSeconds + 86_400 });
    expect((await verifier.verify(token)).ok).toBe(true);
    keys.serve([ec.jwk]);
    own.advance(299_999);
    expect(verifier.verify(token)).toMatchObject({ ok: true });
    own.advance(1);
    await verifier.verify(await ec.sign({ sub: "bob" }));
    expect(await verifier.verify(token)).toEqual({ ok: false, cause: "unknown_key" });
    verifier.close();
    await keys.stop();
  });

  test("keys that cannot be had are the provider's fault and counted as that", async () => {
    const down = createKeyServer([]);
    await down.stop();
    const config = authSchema.parse({ jwks: { url: down.url } });
    const outcomes: string[] = [];
    const deps = { clock, onKeySetFetch: (outcome: string) => outcomes.push(outcome) };
    const verifier = createTokenVerifier(config, deps);
    const verdict = await verifier.verify(await rsa.sign({ sub: "ann" }));
    expect(verdict).toEqual({ ok: false, cause: "keys_unavailable" });
    expect(outcomes).toEqual(["network"]);
  });
});
