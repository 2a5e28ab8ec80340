// What a configuration amounts to: which keys, algorithms and claims a token is judged by. A provider is
// a preset of exactly that, so nothing behind this file knows providers.
import type { KeyObject } from "node:crypto";
import {
  type Algorithm,
  KEY_SET_ALGORITHMS,
  readPublicKey,
  usualAlgorithmsOf,
} from "./algorithms.ts";
import { listOf } from "./auth-fields.ts";
import { secretsOf } from "./auth-rules.ts";
import type { AuthConfig } from "./auth-sections.ts";
import { CLAIM_DEFAULTS, type ClaimPaths } from "./claims.ts";
import { type Preset, presetOf } from "./presets.ts";

export type Trust = {
  readonly algorithms: readonly Algorithm[];
  /** Empty: any. */
  readonly issuers: readonly string[];
  /** Empty: any. */
  readonly audiences: readonly string[];
  readonly secrets: readonly string[];
  readonly publicKeys: readonly KeyObject[];
  /** Absent where public keys are given: those are then all there are. */
  readonly jwksUrl: string | undefined;
  readonly claims: ClaimPaths;
  readonly checks: Preset["checks"];
};

/** `config` was checked by `authSchema`; throws an `Error` where it was not and a key is unreadable. */
export function trustOf(config: AuthConfig): Trust {
  const preset = presetOf(config);
  const publicKeys = listOf(config.publicKey).map(readPublicKey);
  const jwksUrl = publicKeys.length > 0 ? undefined : (config.jwks.url ?? preset?.jwksUrl);
  const secrets = secretsOf(config);
  return {
    algorithms: config.algorithms ?? usualAlgorithms({ secrets, publicKeys, jwksUrl, preset }),
    issuers: preset === undefined ? listOf(config.issuer) : [preset.issuer],
    audiences: preset?.audiences ?? listOf(config.audience),
    secrets,
    publicKeys,
    jwksUrl,
    claims: { ...CLAIM_DEFAULTS, ...preset?.claims, ...defined(config.claims) },
    checks: preset?.checks ?? [],
  };
}

function usualAlgorithms(
  keys: Pick<Trust, "secrets" | "publicKeys" | "jwksUrl"> & { readonly preset: Preset | undefined },
): readonly Algorithm[] {
  const algorithms = new Set<Algorithm>();
  if (keys.secrets.length > 0) algorithms.add("HS256");
  for (const key of keys.publicKeys) {
    for (const algorithm of usualAlgorithmsOf(key)) algorithms.add(algorithm);
  }
  if (keys.jwksUrl !== undefined) {
    for (const algorithm of keys.preset?.algorithms ?? KEY_SET_ALGORITHMS)
      algorithms.add(algorithm);
  }
  return [...algorithms];
}

/** The fields that were set, so that a spread over defaults leaves the others alone. */
function defined(paths: AuthConfig["claims"]): Partial<ClaimPaths> {
  return Object.fromEntries(Object.entries(paths).filter(([, path]) => path !== undefined));
}
