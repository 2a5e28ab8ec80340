// Which keys may verify a token: decided by the algorithm, never by anything else the token says.
import type { KeyObject } from "node:crypto";
import type { CryptoKey, JWTHeaderParameters } from "jose";
import { type Algorithm, algorithmsOf, isSymmetric } from "./algorithms.ts";
import { createKeySet, type KeySetDeps, type KeySetOptions } from "./key-set.ts";
import type { Trust } from "./trust.ts";

export type VerifyKey = CryptoKey | KeyObject;

export type KeySource = {
  /** Throws `KeysUnavailable`; the algorithm in the header was found to be one of the accepted ones. */
  keysFor(header: JWTHeaderParameters): Promise<readonly VerifyKey[]>;
  close(): void;
};

/**
 * Algorithm confusion: HS* meets only secrets and every other algorithm only public keys, so a token
 * that is "signed" with a public key as its HMAC secret finds no such secret. `jku`, `x5u`, `jwk` and
 * `x5c` in the header are never looked at: a token does not bring its own key.
 */
export function createKeySource(
  trust: Trust,
  deps: KeySetDeps,
  options: Omit<KeySetOptions, "url">,
): KeySource {
  const secrets = new Map<string, Promise<readonly CryptoKey[]>>();
  for (const algorithm of trust.algorithms.filter(isSymmetric)) {
    secrets.set(algorithm, importSecrets(trust.secrets, algorithm));
  }
  const keySet =
    trust.jwksUrl === undefined
      ? undefined
      : createKeySet(deps, { ...options, url: trust.jwksUrl });
  return {
    async keysFor(header) {
      const algorithm = header.alg;
      if (isSymmetric(algorithm)) return (await secrets.get(algorithm)) ?? [];
      if (keySet !== undefined) return keySet.keysFor(header);
      return trust.publicKeys.filter((key) => verifies(key, algorithm));
    },
    close: () => keySet?.close(),
  };
}

/** Imported once: jose would do it for every token. */
function importSecrets(
  secrets: readonly string[],
  algorithm: Algorithm,
): Promise<readonly CryptoKey[]> {
  const parameters = { name: "HMAC", hash: `SHA-${algorithm.slice(2)}` };
  return Promise.all(
    secrets.map((secret) =>
      crypto.subtle.importKey("raw", new TextEncoder().encode(secret), parameters, false, [
        "verify",
      ]),
    ),
  );
}

function verifies(key: KeyObject, algorithm: string): boolean {
  return algorithmsOf(key).some((name) => name === algorithm);
}
