// What must hold between the fields of the `auth` section: contradictions are refused at the start, not
// discovered as tokens that are all refused, or worse, all accepted.
import type { KeyObject } from "node:crypto";
import { type Algorithm, algorithmsOf, isSymmetric, readPublicKey } from "./algorithms.ts";
import { claimSteps, listOf } from "./auth-fields.ts";
import type { AuthConfig } from "./auth-sections.ts";

/** A place in the `auth` section and what is to be mended there. Shows no values. */
export type AuthProblem = { readonly path: readonly string[]; readonly message: string };

export function authProblems(config: AuthConfig): readonly AuthProblem[] {
  return [
    ...keyProblems(config),
    ...algorithmProblems(config),
    ...providerProblems(config),
    ...claimProblems(config),
  ];
}

/** What works but is weaker than it looks; `start` logs each. */
export function authWarnings(config: AuthConfig): readonly AuthProblem[] {
  const warnings: AuthProblem[] = [];
  const wanted = secretBytesWanted(config);
  if (secretsOf(config).some((secret) => Buffer.byteLength(secret) < wanted)) {
    warnings.push({
      path: ["jwtSecret"],
      message: `has fewer than ${wanted} bytes (RFC 7518 §3.2); make one with: openssl rand -base64 ${wanted}`,
    });
  }
  if (
    config.jwks.url !== undefined &&
    config.provider === undefined &&
    config.audience === undefined
  ) {
    warnings.push({
      path: ["audience"],
      message:
        "is not set: tokens that the key set's owner made for other applications are accepted",
    });
  }
  return warnings;
}

export function secretsOf(config: AuthConfig): readonly string[] {
  const { provider } = config;
  const legacy = provider?.kind === "supabase" ? provider.jwtSecret : undefined;
  return [...listOf(config.jwtSecret), ...listOf(legacy)];
}

function secretBytesWanted(config: AuthConfig): number {
  const bits = (config.algorithms ?? []).filter(isSymmetric).map((name) => Number(name.slice(2)));
  return Math.max(256, ...bits) / 8;
}

function keyProblems(config: AuthConfig): readonly AuthProblem[] {
  const problems: AuthProblem[] = [];
  if (config.publicKey !== undefined && config.jwks.url !== undefined) {
    problems.push({ path: ["publicKey"], message: "and `jwks.url` exclude each other" });
  }
  if (config.jwtSecret !== undefined && config.provider !== undefined) {
    const message =
      config.provider.kind === "supabase"
        ? "belongs in `provider.jwtSecret`"
        : "and `provider` exclude each other: leave out the secret (ALDIS_JWT_SECRET), the provider signs with its own keys";
    problems.push({ path: ["jwtSecret"], message });
  }
  return problems;
}

/**
 * Algorithm confusion: an algorithm is accepted only if a key of its own kind is configured. Secrets and
 * public keys may stand side by side, as each algorithm is verified with keys of its kind alone.
 */
function algorithmProblems(config: AuthConfig): readonly AuthProblem[] {
  const { algorithms } = config;
  if (algorithms === undefined) return [];
  const messages: string[] = [];
  const secrets = secretsOf(config).length > 0;
  const keys = readableKeys(config);
  for (const algorithm of algorithms) {
    if (isSymmetric(algorithm) && !secrets) messages.push(`${algorithm} needs a secret`);
    if (!isSymmetric(algorithm) && !isVerifiable(config, keys, algorithm)) {
      messages.push(`${algorithm} needs a public key of its kind`);
    }
  }
  if (secrets && !algorithms.some(isSymmetric)) messages.push("leave the configured secret unused");
  if (keys.some((key) => !fits(key, algorithms))) {
    messages.push("leave a configured public key unused");
  }
  if (config.provider?.kind === "firebase" && algorithms.some((name) => name !== "RS256")) {
    messages.push("of Firebase are RS256 alone");
  }
  return messages.map((message) => ({ path: ["algorithms"], message }));
}

/** A key set is trusted to hold keys of the right kind; jose compares each with the algorithm. */
function isVerifiable(
  config: AuthConfig,
  keys: readonly KeyObject[],
  algorithm: Algorithm,
): boolean {
  if (config.publicKey !== undefined) return keys.some((key) => fits(key, [algorithm]));
  return config.jwks.url !== undefined || config.provider !== undefined;
}

/** Unreadable ones have been reported where they stand. */
function readableKeys(config: AuthConfig): readonly KeyObject[] {
  return listOf(config.publicKey).flatMap((pem) => {
    try {
      return [readPublicKey(pem)];
    } catch {
      return [];
    }
  });
}

function fits(key: KeyObject, algorithms: readonly string[]): boolean {
  return algorithmsOf(key).some((name) => algorithms.includes(name));
}

function providerProblems(config: AuthConfig): readonly AuthProblem[] {
  const { provider } = config;
  if (provider === undefined) return [];
  const problems: AuthProblem[] = [];
  if (config.issuer !== undefined) {
    problems.push({ path: ["issuer"], message: "is set by the provider" });
  }
  if (
    config.audience !== undefined &&
    (provider.kind === "firebase" || provider.kind === "auth0")
  ) {
    problems.push({ path: ["audience"], message: "is set by the provider" });
  }
  if (
    provider.kind === "firebase" &&
    provider.serviceAccountFile !== undefined &&
    !provider.checkRevoked
  ) {
    problems.push({
      path: ["provider", "serviceAccountFile"],
      message: "is for `checkRevoked` alone",
    });
  }
  return problems;
}

/** Claims that these providers let users write about themselves. */
const WRITTEN_BY_USERS: Readonly<Record<string, readonly string[]>> = {
  supabase: ["user_metadata"],
  clerk: ["unsafe_metadata"],
};

/** Privilege escalation: whoever may write a claim may choose tenant, identity and rights through it. */
function claimProblems(config: AuthConfig): readonly AuthProblem[] {
  const unsafe = WRITTEN_BY_USERS[config.provider?.kind ?? ""] ?? [];
  const problems: AuthProblem[] = [];
  for (const name of ["user", "tenant", "capabilities"] as const) {
    const path = config.claims[name];
    if (path !== undefined && unsafe.includes(claimSteps(path)[0] ?? "")) {
      problems.push({ path: ["claims", name], message: "is a claim that users write themselves" });
    }
  }
  return problems;
}
