// The fields of the `auth` section, without the rules between them (auth-config.ts adds those).
import { z } from "zod";
import { ALGORITHMS } from "./algorithms.ts";
import {
  claimPath,
  domain,
  httpsUrl,
  ms,
  oneOrMore,
  publicKey,
  secret,
  text,
} from "./auth-fields.ts";

const jwks = z.strictObject({
  url: httpsUrl.optional().meta({ doc: "The key set; takes the place of the provider's own" }),
  cooldownMs: ms(
    "Least time between two fetches; a new key is accepted after at most this",
  ).default(30_000),
  maxAgeMs: ms(
    "Age at which the key set is fetched again; the known keys go on meanwhile",
    1,
  ).default(600_000),
  timeoutMs: ms("Time for one fetch", 1).default(5_000),
  maxBytes: z
    .number()
    .int()
    .min(1024)
    .max(16 * 1024 * 1024)
    .default(256 * 1024)
    .meta({ doc: "Largest key set that is read", unit: "bytes" }),
  keysMax: z
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(32)
    .meta({ doc: "Most keys in a key set; a greater set is refused as a whole", unit: "keys" }),
});

const firebase = z.strictObject({
  kind: z.literal("firebase"),
  projectId: z
    .string()
    .regex(/^[a-z][a-z0-9-]{3,62}$/, "must be a Firebase project id")
    .meta({ doc: "Firebase project id" }),
  checkRevoked: z.boolean().default(false).meta({
    doc: "Ask Firebase whether the user was disabled or signed out everywhere; needs the package firebase-admin",
  }),
  serviceAccountFile: text(
    "Service account key (JSON file) for `checkRevoked`; absent: application default credentials",
  ).optional(),
});

const clerk = z.strictObject({
  kind: z.literal("clerk"),
  issuer: httpsUrl.meta({ doc: "Frontend API URL, such as https://acme.clerk.accounts.dev" }),
  authorizedParties: z.array(z.string().min(1).max(255)).min(1).max(64).optional().meta({
    doc: "Origins whose tokens count (claim `azp`); a token without `azp` (no browser) passes, as in Clerk's own SDK",
  }),
});

const auth0 = z.strictObject({
  kind: z.literal("auth0"),
  domain: domain.meta({ doc: "Tenant domain or custom domain, such as acme.eu.auth0.com" }),
  audience: oneOrMore(text("API identifier")).meta({ doc: "Identifier of the API in Auth0" }),
});

const supabase = z.strictObject({
  kind: z.literal("supabase"),
  url: httpsUrl.meta({ doc: "Project URL, such as https://abc.supabase.co" }),
  jwtSecret: secret.optional().meta({
    doc: "Legacy JWT secret (HS256); with it the signing keys are accepted too",
    secret: true,
  }),
});

const claims = z.strictObject({
  user: claimPath.optional().meta({ doc: "User id; default `sub`" }),
  name: claimPath.optional().meta({ doc: "Display name; default `name`" }),
  email: claimPath.optional().meta({ doc: "E-mail address; default `email`" }),
  avatar: claimPath.optional().meta({ doc: "Picture URL; default `picture`" }),
  tenant: claimPath
    .optional()
    .meta({ doc: "Tenant; default `tenant`. Absent in a token: `default`" }),
  capabilities: claimPath.optional().meta({ doc: "What the token allows; default `capabilities`" }),
});

export const authFields = z.strictObject({
  timeoutMs: ms("Time to authenticate after connecting", 1).default(10_000),
  refreshBeforeMs: ms("How long before its end a new token is asked for").default(30_000),
  clockSkewMs: z.number().int().min(0).max(600_000).default(60_000).meta({
    doc: "How far the clocks of token makers and this host may differ",
    unit: "ms",
  }),
  tokenMaxBytes: z
    .number()
    .int()
    .min(256)
    .max(16_384)
    .default(8_192)
    .meta({ doc: "Longest token that is looked at", unit: "bytes" }),
  cacheMax: z.number().int().min(0).max(10_000_000).default(10_000).meta({
    doc: "Accepted tokens remembered (those of HS256 are quicker to verify); 0: none",
    unit: "tokens",
  }),
  jwtSecret: oneOrMore(secret)
    .optional()
    .meta({ doc: "Shared secret (HS256); several while one replaces another", secret: true }),
  publicKey: oneOrMore(publicKey)
    .optional()
    .meta({ doc: "Public key or certificate in PEM form; several while one replaces another" }),
  jwks: jwks.prefault({}),
  algorithms: z
    .array(z.enum(ALGORITHMS))
    .min(1)
    .optional()
    .meta({ doc: "The only algorithms accepted; default: what the configured keys are for" }),
  issuer: oneOrMore(text("Issuer"))
    .optional()
    .meta({ doc: "Accepted `iss`; a token must carry one of them" }),
  audience: oneOrMore(text("Audience"))
    .optional()
    .meta({ doc: "Accepted `aud`; a token must carry one of them" }),
  provider: z
    .discriminatedUnion("kind", [firebase, clerk, auth0, supabase])
    .optional()
    .meta({ doc: "Preset for an identity provider: issuer, audience, algorithms, keys, claims" }),
  claims: claims.prefault({}).meta({ doc: "Where in a token things are" }),
});

/** What the `auth` section holds once it is checked; frozen by the loader. */
export type AuthConfig = z.output<typeof authFields>;
export type Provider = NonNullable<AuthConfig["provider"]>;
