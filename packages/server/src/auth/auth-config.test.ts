import { describe, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { z } from "zod";
import { authSchema, hasAuthentication } from "./auth-config.ts";
import { authWarnings } from "./auth-rules.ts";
import { createKeyPair } from "./test/tokens.ts";
import { trustOf } from "./trust.ts";

const secret = "0123456789abcdef0123456789abcdef";
const { publicPem, privatePem } = await createKeyPair("RS256");
const ecPem = (await createKeyPair("ES256")).publicPem;
const firebase = { kind: "firebase", projectId: "demo-project" };
const clerk = { kind: "clerk", issuer: "https://acme.clerk.accounts.dev" };
const auth0 = { kind: "auth0", domain: "acme.eu.auth0.com", audience: "api" };
const supabase = { kind: "supabase", url: "https://abc.supabase.co" };

function problems(input: unknown): string[] {
  const parsed = authSchema.safeParse(input);
  return parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
}

describe("auth config", () => {
  test("has defaults, and no authentication by default", () => {
    const config = authSchema.parse({});
    expect(config).toEqual({
      timeoutMs: 10_000,
      refreshBeforeMs: 30_000,
      clockSkewMs: 60_000,
      tokenMaxBytes: 8_192,
      cacheMax: 10_000,
      jwks: {
        cooldownMs: 30_000,
        maxAgeMs: 600_000,
        timeoutMs: 5_000,
        maxBytes: 262_144,
        keysMax: 32,
      },
      claims: {},
    });
    expect(hasAuthentication(config)).toBe(false);
  });

  test.each([
    [{ jwtSecret: secret }],
    [{ publicKey: publicPem }],
    [{ jwks: { url: "https://id.example/jwks.json" } }],
    [{ provider: firebase }],
  ])("P7 knows that it can authenticate: %#", (input) => {
    expect(hasAuthentication(authSchema.parse(input))).toBe(true);
  });

  test.each([
    ["unknown key", { jwtSecrets: secret }],
    ["empty secret", { jwtSecret: "" }],
    ["secret of 15 bytes", { jwtSecret: "x".repeat(15) }],
    ["no secrets", { jwtSecret: [] }],
    ["a short secret among others", { jwtSecret: [secret, "short"] }],
    ["algorithm confusion: a public key as secret", { jwtSecret: publicPem }],
    ["text as public key", { publicKey: "not a key" }],
    ["private key as public key", { publicKey: privatePem }],
    ["small RSA key", { publicKey: smallRsaKey() }],
    ["key of another kind", { publicKey: x25519Key() }],
    ["public key and key set", { publicKey: publicPem, jwks: { url: "https://id.example/" } }],
    ["none", { jwtSecret: secret, algorithms: ["none"] }],
    ["no algorithms", { jwtSecret: secret, algorithms: [] }],
    ["RS256 with a secret", { jwtSecret: secret, algorithms: ["RS256"] }],
    ["HS256 with a public key", { publicKey: publicPem, algorithms: ["HS256"] }],
    [
      "HS256 beside RS256 with a public key",
      { publicKey: publicPem, algorithms: ["RS256", "HS256"] },
    ],
    ["HS256 with a key set", { jwks: { url: "https://id.example/" }, algorithms: ["HS256"] }],
    ["ES256 with an RSA key", { publicKey: publicPem, algorithms: ["RS256", "ES256"] }],
    ["a public key left unused", { publicKey: [publicPem, ecPem], algorithms: ["RS256"] }],
    ["a secret left unused", { jwtSecret: secret, publicKey: publicPem, algorithms: ["RS256"] }],
    ["algorithms without keys", { algorithms: ["RS256"] }],
    ["key set over http", { jwks: { url: "http://id.example/jwks.json" } }],
    ["key set on a look-alike of localhost", { jwks: { url: "http://localhost.evil.example/" } }],
    ["key set on a look-alike of loopback", { jwks: { url: "http://127.0.0.1.evil.example/" } }],
    ["key set in a private network over http", { jwks: { url: "http://10.0.0.1/" } }],
    ["key set in a file", { jwks: { url: "file:///etc/passwd" } }],
    ["a user in a URL", { jwks: { url: "https://user@id.example/" } }],
    ["a password in a URL", { jwks: { url: "https://:password@id.example/" } }],
    ["credentials in a URL", { jwks: { url: "https://user:password@id.example/" } }],
    ["no URL", { jwks: { url: "id.example" } }],
    ["unknown provider", { provider: { kind: "okta" } }],
    ["provider without a kind", { provider: { projectId: "demo" } }],
    ["Firebase project with a path", { provider: { ...firebase, projectId: "a/b" } }],
    ["Firebase with another algorithm", { provider: firebase, algorithms: ["ES256"] }],
    ["Firebase account without use", { provider: { ...firebase, serviceAccountFile: "a.json" } }],
    ["Auth0 with a scheme", { provider: { ...auth0, domain: "https://acme.auth0.com" } }],
    ["Auth0 with a path", { provider: { ...auth0, domain: "acme.auth0.com/x" } }],
    ["Auth0 without audience", { provider: { kind: "auth0", domain: "acme.auth0.com" } }],
    ["Auth0 with another audience", { provider: auth0, audience: "other" }],
    ["Clerk over http", { provider: { ...clerk, issuer: "http://acme.clerk.accounts.dev" } }],
    ["Supabase with a short secret", { provider: { ...supabase, jwtSecret: "short" } }],
    ["secret beside a provider", { provider: clerk, jwtSecret: secret }],
    ["secret beside Supabase", { provider: supabase, jwtSecret: secret }],
    ["issuer beside a provider", { provider: clerk, issuer: "https://other.example" }],
    ["tenant that users write", { provider: supabase, claims: { tenant: "user_metadata.tenant" } }],
    [
      "rights that users write",
      { provider: supabase, claims: { capabilities: ["user_metadata", "caps"] } },
    ],
    ["Clerk's unsafe metadata", { provider: clerk, claims: { user: "unsafe_metadata.id" } }],
    ["empty claim path", { claims: { user: "" } }],
    ["claim path with a gap", { claims: { user: "a..b" } }],
    ["no skew below zero", { clockSkewMs: -1 }],
    ["no skew of a day", { clockSkewMs: 86_400_000 }],
  ] as [string, unknown][])("refuses: %s", (_, input) => {
    expect(problems(input).length).toBeGreaterThan(0);
  });

  test.each([
    [{ jwtSecret: [secret, "another secret of 16 bytes"] }],
    [{ jwtSecret: secret, publicKey: publicPem }],
    [{ jwtSecret: secret, algorithms: ["HS256", "HS512"] }],
    [{ publicKey: publicPem.replaceAll("\n", "\\n") }],
    [{ publicKey: [publicPem, ecPem], algorithms: ["RS256", "PS256", "ES256"] }],
    [{ jwks: { url: "http://localhost:8080/jwks" } }],
    [{ jwks: { url: "http://127.0.0.1:8080/jwks" } }],
    [{ jwks: { url: "http://[::1]:8080/jwks" } }],
    [{ provider: firebase, jwks: { url: "http://127.0.0.1:9/" } }],
    [{ provider: clerk, audience: "api", publicKey: publicPem }],
    [{ provider: { ...auth0, domain: "localhost:8080" } }],
    [{ provider: { ...supabase, url: "http://localhost:54321/" } }],
    [{ provider: { ...supabase, jwtSecret: secret }, audience: "other" }],
    [{ claims: { tenant: "https://app.example.com/tenant", user: ["a.b", "c"] } }],
  ])("accepts %#", (input) => {
    expect(problems(input)).toEqual([]);
  });

  test("no message shows a secret, a key or a URL's password", () => {
    const hidden = ["hunter2-hunter2", "hidden!"];
    const inputs = [
      { jwtSecret: "hidden!" },
      { jwtSecret: ["hidden!"] },
      { jwtSecret: { hidden: "hidden!" } },
      { jwtSecret: "-----BEGIN hunter2-hunter2" },
      { publicKey: `-----BEGIN PRIVATE KEY-----\nhunter2-hunter2` },
      { jwtSecret: "hunter2-hunter2 hunter2", algorithms: ["RS256"] },
      { jwtSecret: "hunter2-hunter2 hunter2", provider: clerk },
      { provider: { ...supabase, jwtSecret: "hidden!" } },
      { jwks: { url: "https://user:hunter2-hunter2@id.example/" } },
    ];
    for (const input of inputs) {
      const parsed = authSchema.safeParse(input);
      expect(parsed.success).toBe(false);
      const shown = [
        parsed.error?.message,
        JSON.stringify(parsed.error),
        Bun.inspect(parsed.error),
      ].join();
      for (const text of hidden) expect(shown).not.toContain(text);
    }
  });

  test("warns of what works but is weak", () => {
    const warned = (input: unknown) =>
      authWarnings(authSchema.parse(input)).map(({ path }) => path.join("."));
    expect(warned({ jwtSecret: secret })).toEqual([]);
    expect(warned({ jwtSecret: "x".repeat(31) })).toEqual(["jwtSecret"]);
    expect(warned({ jwtSecret: secret, algorithms: ["HS512"] })).toEqual(["jwtSecret"]);
    expect(warned({ jwks: { url: "https://id.example/" } })).toEqual(["audience"]);
    expect(warned({ jwks: { url: "https://id.example/" }, audience: "api" })).toEqual([]);
    expect(warned({ provider: clerk, jwks: { url: "https://id.example/" } })).toEqual([]);
  });

  test("algorithms follow from the keys", () => {
    const algorithms = (input: unknown) => [...trustOf(authSchema.parse(input)).algorithms].sort();
    expect(algorithms({})).toEqual([]);
    expect(algorithms({ jwtSecret: secret })).toEqual(["HS256"]);
    expect(algorithms({ publicKey: publicPem })).toEqual(["RS256"]);
    expect(algorithms({ publicKey: [publicPem, ecPem], jwtSecret: secret })).toEqual([
      "ES256",
      "HS256",
      "RS256",
    ]);
    expect(algorithms({ provider: supabase })).toEqual(["ES256", "RS256"]);
    expect(algorithms({ provider: { ...supabase, jwtSecret: secret } })).toContain("HS256");
    expect(algorithms({ jwks: { url: "https://id.example/" } })).not.toContain("HS256");
  });

  test("every field is documented, and secrets are marked", () => {
    const schema = z.toJSONSchema(authSchema, { io: "input" });
    const missing: string[] = [];
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const documented = JSON.stringify(field).includes('"doc"');
      if (!documented) missing.push(name);
    }
    expect(missing).toEqual([]);
    expect(authSchema.shape.jwtSecret.meta()).toMatchObject({ secret: true });
  });
});

function smallRsaKey(): string {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  return publicKey.export({ type: "spki", format: "pem" }).toString();
}

function x25519Key(): string {
  return generateKeyPairSync("x25519").publicKey.export({ type: "spki", format: "pem" }).toString();
}
